//! A cache that forgets what was not used for the longest time.

use std::collections::VecDeque;

/// Keeps at most `capacity` values by name.
///
/// # Example
///
/// ```rust
/// use recent_cache::Recent;
///
/// let mut cache = Recent::with_capacity(2);
/// cache.put("a", 1);
/// cache.put("b", 2);
/// assert_eq!(cache.get("a"), Some(1));
/// cache.put("c", 3);
/// assert_eq!(cache.get("b"), None);
/// assert_eq!(cache.len(), 2);
/// ```
#[derive(Debug)]
pub struct Recent<V> {
    capacity: usize,
    entries: VecDeque<(String, V)>,
}

impl<V: Clone> Recent<V> {
    /// An empty cache.
    pub fn with_capacity(capacity: usize) -> Self {
        Recent { capacity, entries: VecDeque::new() }
    }

    /// The value of a name, which counts as its use.
    pub fn get(&mut self, name: &str) -> Option<V> {
        let at = self.entries.iter().position(|(key, _)| key == name)?;
        let entry = self.entries.remove(at)?;
        let value = entry.1.clone();
        self.entries.push_back(entry);
        Some(value)
    }

    /// Puts a value in and forgets another where there is no room.
    pub fn put(&mut self, name: &str, value: V) {
        self.entries.retain(|(key, _)| key != name);
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back((name.to_string(), value));
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
