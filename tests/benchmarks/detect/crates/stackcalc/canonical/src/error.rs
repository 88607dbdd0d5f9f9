/// What stops a calculation.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// An operator found too few numbers.
    TooFew { operator: char },
    /// A word is neither a number nor an operator.
    Unknown(String),
    /// Numbers were left over.
    Left(usize),
}
