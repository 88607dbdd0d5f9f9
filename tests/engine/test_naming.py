import re

from qverify_desktop.engine import naming


def test_names_sort_by_time_and_are_safe_file_names() -> None:
    moments = [0, 1, 31, 32, 1_700_000_000_000, 1_800_000_000_000, 2**45 - 1]
    names = [naming.new_run(moment) for moment in moments]
    assert names == sorted(names)
    assert all(re.fullmatch(r"r[0-9a-z]{13}", name) and naming.is_run(name) for name in names)


def test_two_runs_of_one_millisecond_differ() -> None:
    assert len({naming.new_run(5) for _ in range(200)}) > 190


def test_what_is_no_name() -> None:
    for text in ("", "r", "../../etc", "r" + "u" * 13, "R0000000000000", "r00000000000000", "r0/0", "%", "r_"):
        assert not naming.is_run(text)
    assert (
        naming.is_prefix("r1k")
        and naming.is_prefix("1k")
        and not naming.is_prefix("%")
        and not naming.is_prefix("r_")
    )
