use std::fmt;

/// A place where a boat may lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Berth {
    name: String,
    length: u32,
}

impl Berth {
    /// A berth with its name, as it is painted on the pier, and its length.
    ///
    /// ```
    /// use harbour_fees::Berth;
    ///
    /// assert_eq!(Berth::new("B2", 9).length(), 9);
    /// ```
    pub fn new(name: &str, length: u32) -> Berth {
        Berth { name: name.to_string(), length }
    }

    /// Length in metres.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// Whether a boat of this length fits, with half a metre to spare at each end.
    pub fn fits(&self, boat: u32) -> bool {
        boat + 1 <= self.length
    }
}

impl fmt::Display for Berth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} m)", self.name, self.length)
    }
}
