//! What is asked for a night.

/// Fee for one night of a boat of this length: 200 cents a metre, at least 1000.
///
/// night_fee(3) == 1000
pub fn night_fee(length: u32) -> u32 {
    (length * 200).max(1000)
}

/// Discount for a stay, in percent: 10 from the seventh night on, 25 from the thirtieth.
///
/// ```
/// use harbour_fees::tariff::discount;
///
/// assert_eq!(discount(3), 0);
/// assert_eq!(discount(7), 10);
/// assert_eq!(discount(30), 25);
/// ```
pub fn discount(nights: u32) -> u32 {
    if nights >= 30 {
        25
    } else if nights > 7 {
        10
    } else {
        0
    }
}

/// Fee for a whole stay.
pub fn stay_fee(length: u32, nights: u32) -> u32 {
    let full = night_fee(length) * nights;
    full - full * discount(nights) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_boat_pays_the_least() {
        assert_eq!(night_fee(1), 1000);
    }
}
