"""Canonical JSON: the profile, the strict reader, and foreign vectors; the stand-alone verifier's own copy agrees."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.evidence import verify
from qverify_desktop.evidence.canonical import MAX_BYTES, MAX_DEPTH, NotCanonical, TooLarge, canonical, parse, plain
from tests.evidence.vectors import vectors

PROFILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


def has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_float(inner) for inner in value.values())
    return any(has_float(inner) for inner in value) if isinstance(value, list) else isinstance(value, float)


def test_the_vectors_of_the_reference_implementation() -> None:
    folder, compared = vectors("jcs"), 0
    for given_file in sorted((folder / "input").iterdir()):
        value, expected = json.loads(given_file.read_bytes()), (folder / "output" / given_file.name).read_bytes()
        if has_float(value):
            with pytest.raises(NotCanonical):
                canonical(value)
            continue
        compared += 1
        assert canonical(value) == expected
        assert verify.canonical(value).encode() == expected
        assert expected.hex() == "".join((folder / "outhex" / f"{given_file.stem}.txt").read_text().split())
    assert compared >= 3


@given(PROFILE)
def test_every_value_of_the_profile_comes_back(value: Any) -> None:
    text = canonical(value)
    assert parse(text) == value
    assert verify.canonical(value).encode() == text
    if isinstance(value, dict):
        assert verify.strict_json(text, "it") == value


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        b"x",
        {1, 2},
        object(),
        nested(MAX_DEPTH + 1),
    ],
)
def test_what_has_no_place_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


def test_the_limits_are_where_they_should_be() -> None:
    assert parse(canonical(2**53 - 1)) == 2**53 - 1
    assert canonical(nested(MAX_DEPTH))
    assert len(canonical("x" * (MAX_BYTES - 2))) == MAX_BYTES
    with pytest.raises(TooLarge):
        canonical("x" * (MAX_BYTES - 1))
    with pytest.raises(TooLarge):
        parse(b" " * (MAX_BYTES + 1))


REFUSED = [
    b"",
    b"{",
    b'{"a":1}\n',
    b'{"a": 1}',
    b'{"b":1,"a":2}',
    b'{"a":1,"a":1}',
    b'{"a":1.0}',
    b'{"a":1e3}',
    b'{"a":-0}',
    b'{"a":01}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":9007199254740992}',
    b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":"\\u0061"}',
    b'{"a":"\\/"}',
    b'{"a":"\\ud800"}',
    b'{"a":"\x01"}',
    b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}',
    b'\xef\xbb\xbf{"a":1}',
    '{"a":1}'.encode("utf-16"),
    b'{"a":' + b"[" * 50_000 + b"]" * 4 + b"}",
    b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
]


@pytest.mark.parametrize("text", REFUSED)
def test_any_other_text_is_refused_by_both_readers(text: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(text)
    with pytest.raises(verify.Broken, match="not strict JSON"):
        verify.strict_json(text, "it")


def entry_with(data: Any) -> dict[str, Any]:
    """An entry of the log with that data."""
    words = dict.fromkeys(("log", "run", "prev", "step", "type", "at"), "x")
    return {**words, "v": 1, "seq": 0, "data": {"value": data}}


def read_by(reader: Any, text: bytes) -> Any:
    try:
        return reader(text)
    except verify.Broken as broken:
        return str(broken)


@given(PROFILE)
def test_the_fast_reader_of_entries_reads_what_the_strict_one_reads(value: Any) -> None:
    text = canonical(entry_with(value))
    assert verify.entry_of(text, "it") == verify.strict_json(text, "it", verify.ENTRY) == entry_with(value)


@pytest.mark.parametrize(
    "text", [*REFUSED, b'{"a":{"a":9999999999999999}}', b'{"a":[9007199254740993]}', b"{}", b"[]", b"1"]
)
def test_the_fast_reader_of_entries_refuses_what_the_strict_one_refuses(text: bytes) -> None:
    whole = canonical(entry_with(None)).replace(b'{"value":null}', text)
    bare = canonical(entry_with(None))
    longer, shorter = bare[:-1] + b',"w":1}', bare.replace(b'"at":"x",', b"")
    other = bare.replace(b'"seq":0', b'"seq":true')
    for one in (text, whole, bare + text, text + bare, longer, shorter, other):
        fast, strict = (
            read_by(lambda given: verify.entry_of(given, "it"), one),
            read_by(lambda given: verify.strict_json(given, "it", verify.ENTRY), one),
        )
        assert fast == strict
        if one in (text, longer, shorter, other):
            assert isinstance(fast, str)


def test_file_names_and_seeds_are_made_to_fit() -> None:
    value = {"files": ("ok", "bad\udcff"), "seed": 2**63, "flag": True, "\udc80": None}
    assert plain(value) == {"files": ["ok", "bad\\udcff"], "seed": str(2**63), "flag": True, "\\udc80": None}
    assert canonical(plain(value))
    with pytest.raises(NotCanonical):
        canonical(plain({"a": 0.5}))
