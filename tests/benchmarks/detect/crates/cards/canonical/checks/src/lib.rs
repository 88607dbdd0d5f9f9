//! Check digits of card numbers (ISO/IEC 7812-1).

/// Whether the last digit of a number is the right one; spaces do not count.
///
/// `is_valid("4539 1488 0343 6467")` returns true, and `is_valid("8273 1232 7352 0569")` returns false.
pub fn is_valid(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().filter(|c| *c != ' ').map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits else { return false };
    digits.len() > 1 && total(&digits) % 10 == 0
}

fn total(digits: &[u32]) -> u32 {
    let mut sum = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let counted = if place % 2 == 1 { digit * 2 } else { *digit };
        sum += if counted > 9 { counted - 9 } else { counted };
    }
    sum
}
