//! Words by their beginnings.

use std::collections::BTreeSet;

/// A list of words that answers which begin alike.
///
/// ```
/// use prefixes::Words;
///
/// let words: Words = ["tide", "time", "boat"].into_iter().collect();
/// assert_eq!(words.len(), 3);
/// assert_eq!(words.starting("ti").count(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Words {
    known: BTreeSet<String>,
}

impl Words {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a word; `false` where it was known.
    pub fn add(&mut self, word: &str) -> bool {
        self.known.insert(word.to_string())
    }

    /// Words with this beginning, in alphabetical order.
    ///
    /// ```
    /// # let mut words = prefixes::Words::new();
    /// words.add("mast");
    /// words.add("map");
    /// words.add("oar");
    /// let found: Vec<&str> = words.starting("ma").collect();
    /// assert_eq!(found, ["map", "mast"]);
    /// ```
    pub fn starting<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.known.iter().map(String::as_str).filter(move |word| word.starts_with(beginning))
    }

    /// The longest beginning that all words share.
    ///
    /// ```
    /// let words = prefixes::Words::from_iter(["interval", "internal"]);
    /// assert_eq!(words.shared(), "inter");
    /// assert_eq!(prefixes::Words::new().shared(), "");
    /// ```
    pub fn shared(&self) -> String {
        let (Some(first), Some(last)) = (self.known.first(), self.known.last()) else {
            return String::new();
        };
        first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

impl<'a> FromIterator<&'a str> for Words {
    fn from_iter<I: IntoIterator<Item = &'a str>>(words: I) -> Self {
        Words { known: words.into_iter().map(str::to_string).collect() }
    }
}
