//! Versions of three numbers.

use std::cmp::Ordering;
use std::str::FromStr;

/// `major.minor.patch`.
///
/// Versions compare by their numbers, the major one first:
///
/// ```
/// use versions::Version;
///
/// # fn main() -> Result<(), versions::Unreadable> {
/// let old: Version = "1.9.0".parse()?;
/// let new: Version = "1.10.0".parse()?;
/// assert!(old < new);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub major: u64,
    pub minor: u64,
    pub patch: u64,
}

/// The text is no version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable;

impl FromStr for Version {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut numbers = text.split('.').map(|part| part.parse::<u64>().map_err(|_| Unreadable));
        let mut next = || numbers.next().unwrap_or(Err(Unreadable));
        Ok(Version { major: next()?, minor: next()?, patch: next()? })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |version: &Version| (version.major.to_string(), version.minor.to_string(), version.patch);
        key(self).cmp(&key(other))
    }
}

impl Version {
    /// The next version without new features.
    ///
    /// ```
    /// use versions::Version;
    ///
    /// let version: Version = "0.4.2".parse().unwrap();
    /// assert_eq!(version.patched().patch, 3);
    /// ```
    pub fn patched(&self) -> Version {
        Version { patch: self.patch + 1, ..self.clone() }
    }
}
