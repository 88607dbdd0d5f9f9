/// The numbers from `start` up to, and without, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: i64,
    pub end: i64,
}

impl Span {
    /// A span; the ends may be given in any order.
    ///
    /// ```
    /// use intervals::Span;
    /// assert_eq!(Span::new(7, 3), Span { start: 3, end: 7 });
    /// ```
    pub fn new(a: i64, b: i64) -> Self {
        Span { start: a.min(b), end: a.max(b) }
    }

    /// How many numbers it holds.
    ///
    /// ```
    /// # use intervals::Span;
    /// assert_eq!(Span::new(3, 7).len(), 4);
    /// ```
    pub fn len(&self) -> u64 {
        (self.end - self.start) as u64
    }

    /// Whether it holds no number.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}
