//! Amounts of money as text, and shared.

/// Cents with thousands apart.
pub fn shown(cents: i64, currency: &str) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let whole = (cents.abs() / 100).to_string();
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            apart.push(',');
        }
        apart.push(digit);
    }
    format!("{sign}{apart}.{:02} {currency}", cents.abs() % 100)
}

/// An amount in `parts` parts that differ by at most one cent, the larger ones first.
///
/// split(10, 3) == [4, 3, 3]
///
/// ```
/// # use prices::split;
/// assert_eq!(split(100, 4), vec![25; 4]);
/// assert_eq!(split(7, 2).iter().sum::<u64>(), 7);
/// assert_ne!(split(7, 2)[0], split(7, 2)[1]);
/// ```
///
/// ```should_panic
/// prices::split(1, 0);
/// ```
pub fn split(cents: u64, parts: u64) -> Vec<u64> {
    assert!(parts > 0, "nobody to share with");
    (0..parts).map(|part| cents / parts + u64::from(part < cents % parts)).collect()
}
