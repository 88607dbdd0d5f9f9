from shelf.text import initials, slug


def test_slug_joins_words():
    assert slug("The Left Hand of Darkness") == "the-left-hand-of-darkness"


def test_slug_of_nothing_is_empty():
    assert slug("…") == ""


def test_initials():
    assert initials("Ursula Le Guin") == "U.L.G."
