//! Fees of a small harbour. All amounts are whole cents, all lengths whole metres.

mod berth;
pub mod clock;
pub mod tariff;

pub use berth::Berth;
pub use tariff::night_fee;

/// The cheapest of several fees, `None` where there is none.
///
/// ```
/// assert_eq!(harbour_fees::cheapest(&[900, 450, 700]), Some(450));
/// assert_eq!(harbour_fees::cheapest(&[]), None);
/// ```
pub fn cheapest(fees: &[u32]) -> Option<u32> {
    fees.iter().copied().min()
}
