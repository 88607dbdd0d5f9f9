from shelf.ranges import page_count


def test_a_started_page_counts():
    assert page_count(11, 5) == 3
