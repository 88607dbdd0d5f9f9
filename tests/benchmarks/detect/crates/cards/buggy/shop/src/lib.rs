//! What the counter needs to know.

/// A card's number with all but its last four digits hidden.
///
/// ```
/// assert_eq!(shop::masked("4539148803436467"), "************6467");
/// ```
pub fn masked(number: &str) -> String {
    let shown = number.len().saturating_sub(4);
    "*".repeat(shown) + &number[shown..]
}

/// Whether a card may be charged.
///
/// ```
/// assert!(shop::accepts("4539 1488 0343 6467", 500));
/// assert!(!shop::accepts("4539 1488 0343 6467", 0));
/// ```
pub fn accepts(number: &str, cents: u64) -> bool {
    cents > 0 && card_checks::is_valid(number)
}
