//! Run-length encoding of text.

/// Runs of equal characters with their lengths.
///
/// `encode("aab")` → `[('a', 2), ('b', 1)]`
pub fn encode(text: &str) -> Vec<(char, usize)> {
    let mut runs: Vec<(char, usize)> = Vec::new();
    for character in text.chars() {
        match runs.last_mut() {
            Some((last, count)) if *last == character => *count += 1,
            _ => runs.push((character, 1)),
        }
    }
    runs
}

/// The text that the runs stand for.
///
/// ```
/// use run_lengths::{decode, encode};
///
/// let text = "mississippi";
/// assert_eq!(decode(&encode(text)), text);
/// ```
pub fn decode(runs: &[(char, usize)]) -> String {
    runs.iter().map(|(character, count)| character.to_string().repeat(*count)).collect()
}

/// Runs in short: a run of one is written without its length.
///
/// short("aaab") == "a3b"
/// short("") == ""
pub fn short(text: &str) -> String {
    encode(text)
        .into_iter()
        .map(|(character, count)| if count == 1 { character.to_string() } else { format!("{character}{count}") })
        .collect()
}
