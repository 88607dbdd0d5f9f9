//! Which of at most 64 seats are taken.

/// A set of seats, numbered from 0 to 63.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seats(u64);

impl Seats {
    /// No seat is taken.
    pub fn none() -> Self {
        Seats(0)
    }

    /// Takes a seat; `false` where it was taken before.
    ///
    /// ```
    /// # use seats::Seats;
    /// let mut seats = Seats::none();
    /// assert!(seats.take(5));
    /// assert!(!seats.take(5));
    /// ```
    ///
    /// Seat 64 does not exist:
    ///
    /// ```should_panic
    /// # use seats::Seats;
    /// let mut seats = Seats::none();
    /// seats.take(64);
    /// ```
    pub fn take(&mut self, seat: u32) -> bool {
        assert!(seat < 64, "there is no seat {seat}");
        let bit = 1u64.checked_shl(seat).unwrap_or(0);
        let free = self.0 & bit == 0;
        self.0 |= bit;
        free
    }

    /// How many are taken.
    pub fn taken(self) -> u32 {
        self.0.count_ones()
    }
}
