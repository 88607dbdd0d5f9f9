//! Text in lines of a given width.
//!
//! ```toml
//! [dependencies]
//! text-folding = "0.1"
//! ```

/// Words in lines of at most `width` characters; longer words keep a line of their own.
///
/// ```
/// use text_folding::fold;
///
/// assert_eq!(fold("the tide comes in", 8), vec!["the tide", "comes in"]);
/// ```
///
/// Does not compile, because a width is no text:
///
/// ```compile_fail
/// assert_eq!(text_folding::fold("a", "b"), vec!["c"]);
/// ```
///
/// ```ignore
/// assert_eq!(fold("not run", 3), vec!["anything"]);
/// ```
///
/// ```text
/// fold(text, width) -> lines
/// ```
pub fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// A text in the middle of `width` characters; what can't be shared stands on the right.
///
/// ```
/// # use text_folding::centred;
/// assert_eq!(centred("ab", 5), " ab  ");
/// assert_eq!(centred("zu lang", 3), "zu lang");
/// assert_eq!(centred("größe", 7).chars().count(), 7);
/// ```
pub fn centred(text: &str, width: usize) -> String {
    let room = width.saturating_sub(text.chars().count());
    let left = room / 2;
    format!("{}{text}{}", " ".repeat(left), " ".repeat(room - left))
}

/// What is tried in a test of `fold`: private(1) == 2, but it is 1.
#[allow(dead_code)]
fn private(number: u32) -> u32 {
    number
}
