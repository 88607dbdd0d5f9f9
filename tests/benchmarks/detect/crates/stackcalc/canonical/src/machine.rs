use crate::Fault;

/// The value of an expression such as `3 4 + 2 *`.
///
/// # Examples
///
/// ```
/// use stackcalc::{evaluate, Fault};
///
/// assert_eq!(evaluate("3 4 + 2 *"), Ok(14.0));
/// assert_eq!(evaluate("8 2 /").unwrap(), 4.0);
/// assert_eq!(evaluate("1 +"), Err(Fault::TooFew { operator: '+' }));
/// assert!(matches!(evaluate("2 x *"), Err(Fault::Unknown(word)) if word == "x"));
/// ```
///
/// In a loop:
///
/// ```
/// for (text, value) in [("1 2 -", -1.0), ("2 3 *", 6.0)] {
///     assert_eq!(stackcalc::evaluate(text), Ok(value));
/// }
/// ```
///
/// # Panics
///
/// Never. Earlier versions did: `evaluate("1 +")` used to give `Ok(1.0)`.
pub fn evaluate(text: &str) -> Result<f64, Fault> {
    let mut stack: Vec<f64> = Vec::new();
    for word in text.split_whitespace() {
        if let Ok(number) = word.parse() {
            stack.push(number);
            continue;
        }
        let operator = match word {
            "+" | "-" | "*" | "/" => word.chars().next().unwrap_or('?'),
            _ => return Err(Fault::Unknown(word.to_string())),
        };
        let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
            return Err(Fault::TooFew { operator });
        };
        stack.push(match operator {
            '+' => left + right,
            '-' => left - right,
            '*' => left * right,
            _ => left / right,
        });
    }
    match stack[..] {
        [value] => Ok(value),
        _ => Err(Fault::Left(stack.len())),
    }
}
