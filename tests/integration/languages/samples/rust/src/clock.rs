//! The clock on the pier.

/// Time zone that the clock shows.
///
/// ```
/// assert_eq!(harbour_fees::clock::zone(), "UTC0");
/// ```
pub fn zone() -> String {
    std::env::var("TZ").unwrap_or_default()
}
