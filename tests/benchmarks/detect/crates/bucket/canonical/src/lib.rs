//! How often something may happen.

use std::time::Duration;

/// Lets `burst` things happen at once and one more for each `every`.
#[derive(Debug, Clone)]
pub struct Bucket {
    every: Duration,
    burst: u32,
    tokens: u32,
    since: Duration,
}

impl Bucket {
    /// A full bucket.
    pub fn new(every: Duration, burst: u32) -> Self {
        Bucket { every, burst, tokens: burst, since: Duration::ZERO }
    }

    /// Takes a token where there is one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use token_bucket::Bucket;
    ///
    /// let mut bucket = Bucket::new(Duration::from_millis(100), 2);
    /// assert!(bucket.take());
    /// assert!(bucket.take());
    /// assert!(!bucket.take());
    /// bucket.pass(Duration::from_millis(250));
    /// assert_eq!(bucket.left(), 2);
    /// ```
    pub fn take(&mut self) -> bool {
        let free = self.tokens > 0;
        self.tokens -= u32::from(free);
        free
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        self.since += time;
        while self.since >= self.every {
            self.since -= self.every;
            self.tokens = (self.tokens + 1).min(self.burst);
        }
    }

    /// Tokens that are left.
    ///
    /// ```no_run
    /// # let bucket = token_bucket::Bucket::new(std::time::Duration::from_secs(1), 1);
    /// loop {
    ///     assert_eq!(bucket.left(), 7);
    /// }
    /// ```
    pub fn left(&self) -> u32 {
        self.tokens
    }
}
