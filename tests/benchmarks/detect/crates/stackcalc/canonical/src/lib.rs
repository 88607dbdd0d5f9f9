//! A calculator for postfix notation.

mod error;
mod machine;

pub use error::Fault;
pub use machine::evaluate;
