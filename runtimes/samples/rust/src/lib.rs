//! A few lines of real code, so that an image is proved by running some.

use std::time::{Duration, SystemTime};

/// Highest level, or `None` when there is none.
pub fn highest(levels: &[i32]) -> Option<i32> {
    levels.iter().copied().max()
}

/// The high water that follows `last`, 12 hours 25 minutes later.
pub fn next_high_water(last: SystemTime) -> SystemTime {
    last + Duration::from_secs((12 * 60 + 25) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_is_the_largest_level() {
        assert_eq!(highest(&[4, 21, 17]), Some(21));
    }

    #[test]
    fn highest_of_nothing_is_none() {
        assert_eq!(highest(&[]), None);
    }
}
