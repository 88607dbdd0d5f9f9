//! Words for addresses.

/// A title as the last part of an address: lower case, one dash between words, none at the ends.
///
/// slugify("Hello, World!") => "hello-world"
///
/// slugify("  many   spaces ") => "many-spaces"
pub fn slugify(title: &str) -> String {
    let mut slug = String::new();
    for character in title.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_string()
}

/// The slug with a number behind it that is not taken yet.
///
/// ```text
/// numbered("tide", 2) == "tide-2"
/// numbered("tide", 0) == "tide"
/// ```
pub fn numbered(slug: &str, number: u32) -> String {
    if number == 0 {
        return slug.to_string();
    }
    format!("{slug}-{number}")
}
