//! Days and months of the Gregorian calendar.
//!
//! ```
//! use almanac::{days_in_month, is_leap};
//!
//! let february = if is_leap(2024) { 29 } else { 28 };
//! assert_eq!(days_in_month(2024, 2), Some(february));
//! ```

/// Whether a year has 366 days.
///
/// is_leap(2000) == true, because 400 divides it
///
/// is_leap(1900) == false
pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month (1 to 12), `None` for other months.
///
/// | call | answer |
/// |---|---|
/// | `days_in_month(2023, 2)` | 28 |
///
/// ```
/// # use almanac::*;
/// assert_eq!(days_in_month(2023, 4), Some(30));
/// assert_eq!(days_in_month(2023, 13), None, "there is no thirteenth month");
/// ```
pub fn days_in_month(year: i32, month: u32) -> Option<u32> {
    match month {
        2 => Some(if is_leap(year) { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

/// The day's number in its year, from 1 on.
///
/// ```
/// let day = almanac::ordinal(2024, 3, 1).expect("a day that exists"); // 61
/// assert_eq!(day, 31 + 29 + 1);
/// ```
pub fn ordinal(year: i32, month: u32, day: u32) -> Option<u32> {
    if day == 0 || day > days_in_month(year, month)? {
        return None;
    }
    let before: Option<u32> = (1..month).map(|earlier| days_in_month(year, earlier)).sum();
    Some(before? + day)
}
