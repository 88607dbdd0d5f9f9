use harbour_fees::tariff::stay_fee;

#[test]
fn two_nights() {
    assert_eq!(stay_fee(10, 2), 4000);
}
