//! Half-open ranges of whole numbers.

mod merge;
mod span;

pub use merge::merged;
pub use span::Span;
