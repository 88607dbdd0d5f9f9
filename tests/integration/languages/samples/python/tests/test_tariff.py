from harbour.tariff import night_fee


def test_a_short_boat_pays_the_least():
    assert night_fee(1) == 1000
