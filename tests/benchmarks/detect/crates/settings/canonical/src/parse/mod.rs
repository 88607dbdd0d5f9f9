//! Reading settings.

/// Pairs of `name = value`, without comments and empty lines.
///
/// ```
/// use server_settings::parse::lines;
///
/// let text = "
/// # where
/// port = 80
///
/// name = quay
/// ";
/// let found = lines(text);
/// assert_eq!(found.len(), 2);
/// assert_eq!(found[0], ("port", "80"));
/// ```
pub fn lines(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}
