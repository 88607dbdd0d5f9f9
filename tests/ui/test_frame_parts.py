"""The small parts of the frame: words, preferences, drops, the palette's matching, the registry."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QMimeData, QUrl

from qverify_desktop.ui import language
from qverify_desktop.ui.actions import Act, ActionRegistry, shown_keys
from qverify_desktop.ui.drops import Dropped, is_url, of_mime, of_paths
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.theme import THEMES, Theme, colours_of
from qverify_desktop.ui.widgets.palette import match

pytestmark = pytest.mark.ui


@pytest.fixture
def english():
    yield
    language.use("en")


def test_the_pseudo_language_lengthens_and_keeps_fields(english):
    language.use(language.PSEUDO)
    text = language.tr("{name} is running", name="x<y>")
    assert "x<y>" in text
    assert len(text) >= 1.4 * len("x<y> is running")
    assert language.trn("{n} test", "{n} tests", 2).count("2") == 1


def test_an_unknown_language_is_english(english):
    assert language.use("qq") == "en"
    assert language.tr("Home") == "Home"


def test_preferences_are_kept(tmp_path, qapp):
    file = tmp_path / "deep" / "window.json"
    first = Preferences(file)
    first.set("zoom", 1.25)
    first.set("window", [1, 2, 3, 4])
    first.write()
    second = Preferences(file)
    assert (second.number("zoom", 1.0), second.numbers("window")) == (1.25, [1, 2, 3, 4])
    assert [one.name for one in file.parent.iterdir()] == ["window.json"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"zoom": "big", "window": [1, "x"]}', "\x00"])
def test_a_broken_file_of_preferences_gives_defaults(tmp_path, qapp, content):
    file = tmp_path / "window.json"
    file.write_text(content)
    read = Preferences(file)
    assert read.number("zoom", 1.0) == 1.0
    assert read.numbers("window") == []


def test_preferences_that_cant_be_written_trouble_nobody(tmp_path, qapp):
    (tmp_path / "file").write_text("")
    kept = Preferences(tmp_path / "file" / "window.json")
    kept.set("zoom", 2.0)
    kept.write()
    assert kept.number("zoom", 1.0) == 2.0


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("https://example.org/a/b.git", True),
        ("git@example.org:a/b.git", True),
        ("ssh://git@example.org/a", True),
        ("ext::sh -c evil", False),
        ("https://example.org/a b", False),
        ("javascript:alert(1)", False),
        ("--upload-pack=evil", False),
        ("", False),
    ],
)
def test_what_reads_as_a_git_url(text, taken):
    assert is_url(text) is taken


def test_what_is_dropped_is_sorted_by_kind(tmp_path, qapp):
    folder, bundle, other = tmp_path / "repo", tmp_path / "r.qvevidence.zip", tmp_path / "a.txt"
    folder.mkdir()
    bundle.write_bytes(b"")
    other.write_text("")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(one)) for one in (folder, bundle, other, folder)])
    assert of_mime(mime) == Dropped((str(folder),), (str(bundle),), ("a.txt",))


def test_text_that_is_no_address_is_not_taken(qapp):
    mime = QMimeData()
    mime.setText("some words\nhttps://example.org/a.git")
    assert not of_mime(mime)
    assert not of_paths([])


def test_lines_of_addresses_are_taken(qapp):
    mime = QMimeData()
    mime.setText("https://example.org/a.git\n\nhttps://example.org/b.git\n")
    assert of_mime(mime).sources == ("https://example.org/a.git", "https://example.org/b.git")


def test_the_palette_prefers_beginnings_of_words():
    names = ["Zoom in", "New analysis", "Next tab of the run", "Analyze a Git URL"]
    found = sorted((name for name in names if match(name, "ana")), key=lambda name: -match(name, "ana")[0])
    assert found[0] in ("New analysis", "Analyze a Git URL")
    assert match("Zoom in", "ana") is None
    assert match("New analysis", "nwan") is not None


def test_the_palette_says_which_letters_matched():
    assert match("Zoom in", "zo in")[1] == (0, 1, 5, 6)


def test_an_act_that_is_not_possible_does_nothing(qapp):
    done = []
    registry = ActionRegistry(Theme())
    registry.add(Act("a", "A", "G", lambda: done.append("a"), reason=lambda: "not now"))
    registry.add(Act("b", "B", "G", lambda: done.append("b")))
    assert registry.trigger("a") is False
    assert registry.trigger("b") is True
    assert done == ["b"]
    registry.action("a")
    registry.update()
    assert not registry.action("a").isEnabled()
    assert registry.action("a").toolTip() == "not now"


def test_an_act_is_registered_once(qapp):
    registry = ActionRegistry(Theme())
    registry.add(Act("a", "A", "G", lambda: None))
    with pytest.raises(ValueError, match="a already"):
        registry.add(Act("a", "A", "G", lambda: None))


def test_keys_as_a_person_reads_them(qapp):
    assert shown_keys("Ctrl+Shift+N") == "Ctrl Shift N"
    assert shown_keys("Ctrl++") == "Ctrl +"


@pytest.mark.parametrize("name", THEMES)
def test_the_style_sheet_knows_every_token_it_names(qapp, name):
    theme = Theme(name, 1.5)
    theme.apply(qapp)
    sheet = qapp.styleSheet()
    assert "$" not in sheet
    assert "%(" not in sheet
    assert json.dumps(colours_of(name))


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[-6:][i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


TEXT = ("text", "text-muted", "accent-text", "success", "warning", "danger", "info")
SURFACES = ("background", "surface", "surface-raised", "surface-sunken", "surface-hover", "selection")


@pytest.mark.parametrize("name", THEMES)
def test_words_on_every_surface_are_aa(name):
    colours, least = colours_of(name), 7.0 if name == "high-contrast" else 4.5
    poor = {
        (text, surface): round(contrast(colours[text], colours[surface]), 2)
        for text in TEXT
        for surface in SURFACES
        if contrast(colours[text], colours[surface]) < least
    }
    assert poor == {}


@pytest.mark.parametrize("name", THEMES)
def test_words_on_tints_and_buttons_are_aa(name):
    colours, least = colours_of(name), 7.0 if name == "high-contrast" else 4.5
    pairs = [(one, f"{one}-bg") for one in ("success", "warning", "danger", "info", "covered", "partial", "missed")]
    pairs += [("on-accent", "accent"), ("on-accent", "accent-hover"), ("accent-text", "accent-bg")]
    poor = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < least} == {}


@pytest.mark.parametrize("name", THEMES)
def test_outlines_and_focus_can_be_seen(name):
    colours = colours_of(name)
    pairs = [(one, surface) for one in ("border-control", "focus-ring") for surface in ("background", "surface")]
    assert [pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < 3] == []
