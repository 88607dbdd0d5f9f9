//! Roman numerals from 1 to 3999.

use std::fmt;

/// Why a text is no numeral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing was written.
    Empty,
    /// A letter that is none of `IVXLCDM`.
    Letter(char),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Empty => write!(f, "nothing was written"),
            ParseError::Letter(letter) => write!(f, "{letter} is no Roman letter"),
        }
    }
}

impl std::error::Error for ParseError {}

const PAIRS: [(u32, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// Writes a number.
///
/// # Examples
///
/// ```
/// use roman_numerals::to_roman;
///
/// assert_eq!(to_roman(1987), "MCMLXXXVII");
/// assert_eq!(to_roman(44), "XLIV");
/// ```
pub fn to_roman(mut number: u32) -> String {
    let mut text = String::new();
    for (value, letters) in PAIRS {
        while number >= value {
            text.push_str(letters);
            number -= value;
        }
    }
    text
}

fn value(letter: char) -> Option<u32> {
    Some(match letter {
        'I' => 1,
        'V' => 5,
        'X' => 10,
        'L' => 50,
        'C' => 100,
        'D' => 500,
        'M' => 1000,
        _ => return None,
    })
}

/// Reads a numeral; a smaller letter before a larger one is taken away.
///
/// ```
/// # use roman_numerals::ParseError;
/// use roman_numerals::from_roman;
///
/// let year = from_roman("MCMXC")?;
/// assert_eq!(year, 1990);
/// assert_eq!(from_roman("XII"), Ok(12));
/// assert_eq!(from_roman("XIQ"), Err(ParseError::Letter('Q')));
/// # Ok::<(), ParseError>(())
/// ```
pub fn from_roman(text: &str) -> Result<u32, ParseError> {
    let mut total = 0;
    let mut last = 0;
    for letter in text.chars().rev() {
        let value = value(letter).ok_or(ParseError::Letter(letter))?;
        if value <= last {
            total -= value;
        } else {
            total += value;
            last = value;
        }
    }
    if total == 0 {
        return Err(ParseError::Empty);
    }
    Ok(total)
}
