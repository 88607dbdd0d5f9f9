"""The drawing of inclusion proofs, checked against trees that are built here, and the QR code."""

from __future__ import annotations

import base64
import hashlib
import itertools

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor

from qverify_desktop.ui.widgets.proof_shape import shape_of, words_of_proof
from qverify_desktop.ui.widgets.proof_tree import ProofTree
from qverify_desktop.ui.widgets.qr import QUIET, QrCode, matrix_of

pytestmark = pytest.mark.ui


def leaf(n):
    return hashlib.sha256(b"\0" + str(n).encode()).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    """Merkle tree hash, RFC 6962, section 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root_of(leaves[:split]), root_of(leaves[split:]))


def proof_of(index, leaves):
    """Steps from the leaf up: (side of the given hash, given, computed)."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*proof_of(index, leaves[:split]), ("right", root_of(leaves[split:]), root_of(leaves))]
    return [*proof_of(index - split, leaves[split:]), ("left", root_of(leaves[:split]), root_of(leaves))]


def event(index, size, holds=True):
    leaves = [leaf(n) for n in range(size)]
    steps = [{"side": s, "hash": g.hex(), "computed": c.hex()} for s, g, c in proof_of(index, leaves)]
    return {
        "line": {"index": index, "run": "r", "type": "judged", "at": "", "words": ""},
        "payload": {},
        "leaf": "",
        "leaf_hash": leaf(index).hex(),
        "proof": steps,
        "size": size,
        "root": root_of(leaves).hex(),
        "holds": holds,
    }


def computed(knot):
    """The hash of a drawn box, computed again from what is drawn below it, as far as that is known."""
    if not knot.on_path or not knot.children:
        return bytes.fromhex(knot.hash)
    return node(*(computed(child) if child.on_path else bytes.fromhex(child.hash) for child in knot.children))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 9, 13, 64, 100])
def test_every_drawn_box_is_what_is_computed_from_the_boxes_below(size):
    for index in range(size):
        view = event(index, size)
        for levels in (1, 2, 3):
            shape = shape_of(view, levels)
            assert computed(shape.top).hex() == shape.top.hash
            assert shape.drawn + shape.folded == len(view["proof"])
            boxes = list(shape.top.all())
            assert [box.hash for box in boxes if box.kind == "event"] == [view["leaf_hash"]]
            assert {box.hash for box in boxes if box.kind == "given"} == {
                step["hash"] for step in view["proof"][: shape.drawn]
            }
            if shape.root is None:
                assert shape.top.hash == view["root"]


def test_leaves_of_a_complete_part_are_named():
    shape = shape_of(event(12, 100))
    leaves = [box.label for box in shape.top.all() if not box.children]
    assert leaves == [
        "8",
        "9",
        "10",
        "11",
        "12",
        shape_of(event(12, 100)).top.children[1].children[0].children[1].label,
        "14",
        "15",
    ]
    assert shape.top.label == "8–15"
    assert (shape.drawn, shape.folded) == (3, 4)


def test_the_order_of_boxes_for_the_keyboard_is_from_the_event_up():
    view = event(12, 100)
    kinds = [knot.kind for knot in shape_of(view).knots()]
    assert kinds == ["event", "given", "computed", "given", "computed", "given", "computed", "root"]
    assert shape_of(view).knots()[0].hash == view["leaf_hash"]


def test_a_proof_in_words_names_every_step():
    view = event(5, 8)
    words = words_of_proof(view)
    assert words.startswith(f"Event 5 has the leaf hash {view['leaf_hash'][:8]}.")
    for number, step in enumerate(view["proof"], 1):
        assert (
            f"Step {number}: with the given hash {step['hash'][:8]} on the {step['side']}, {step['computed'][:8]}"
            in words
        )
    assert words.endswith(f"That is the root {view['root'][:8]} of 8 events.")


def test_a_proof_that_does_not_hold_says_so():
    assert "does not hold" in words_of_proof(event(5, 8, holds=False))


@pytest.fixture
def tree(qtbot, theme):
    def build(view, width=700):
        made = ProofTree(theme)
        qtbot.addWidget(made)
        made.show_event(view)
        made.resize(width, made.sizeHint().height())
        made.show()
        qtbot.waitExposed(made)
        return made

    return build


@pytest.mark.parametrize(("width", "drawn"), [(700, 3), (400, 2), (200, 1)])
def test_a_narrow_drawing_has_fewer_levels_and_no_box_outside(tree, width, drawn):
    made = tree(event(12, 100), width)
    made.resize(width, made.sizeHint().height())
    assert made.shape.drawn == drawn
    assert all(made.rect().contains(rect.toAlignedRect()) for _, rect in made._boxes)
    rows = {}
    for _, rect in made._boxes:
        rows.setdefault(rect.top(), []).append(rect)
    for rects in rows.values():
        rects.sort(key=lambda rect: rect.left())
        assert all(a.right() < b.left() for a, b in itertools.pairwise(rects))


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (4, 5), (6, 7), (99, 100), (12_788, 12_904)])
def test_every_kind_of_proof_can_be_drawn(tree, grab, theme, index, size):
    view = (
        event(index, size)
        if size < 1000
        else {**event(12, 100), "line": {**event(0, 1)["line"], "index": index}, "size": size}
    )
    picture = grab(tree(view))
    assert picture.has(theme.colour("selection"))


def test_given_hashes_are_dashed_and_the_path_is_solid(tree, grab, theme):
    view = event(12, 100)
    made = tree(view)
    picture = grab(made)
    given = made.box_of(view["proof"][0]["hash"]).toRect()
    own = made.box_of(view["leaf_hash"]).toRect()
    edge = [QColor(picture.colour(x, given.top() + 1)) for x in range(given.left() + 6, given.right() - 6)]
    lightness = [colour.lightness() for colour in edge]
    assert max(lightness) - min(lightness) > 40
    solid = {picture.colour(x, own.top()) for x in range(own.left() + 6, own.right() - 6)}
    assert solid == {theme.colour("accent").name()}


def test_a_click_and_the_keyboard_copy_whole_hashes(qtbot, tree):
    view = event(12, 100)
    made = tree(view)
    copied = []
    made.copied.connect(copied.append)
    given = view["proof"][1]["hash"]
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton, pos=made.box_of(given).center().toPoint())
    made.setFocus()
    qtbot.keyClick(made, Qt.Key.Key_Up)
    qtbot.keyClick(made, Qt.Key.Key_Return)
    for _ in range(20):
        qtbot.keyClick(made, Qt.Key.Key_Up)
    qtbot.keyClick(made, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied == [given, view["leaf_hash"], view["root"]]


def test_the_drawing_is_spoken_step_by_step(tree):
    view = event(12, 100)
    made = tree(view)
    assert made.accessibleName() == "Inclusion proof of event 12"
    assert made.accessibleDescription() == words_of_proof(view)


CHECKERS = [[(x + y) % 2 == 0 for x in range(21)] for y in range(21)]


@pytest.mark.parametrize("theme_name", ["light", "dark", "high-contrast"])
def test_modules_are_whole_pixels_black_on_white_in_every_theme(qapp, qtbot, theme, grab, theme_name):
    theme.apply(qapp, theme_name)
    made = QrCode(theme)
    qtbot.addWidget(made)
    made.show_matrix(CHECKERS)
    # Not a multiple of the modules: the rest stays free.
    made.resize(made.sizeHint().width() + 17, made.sizeHint().height() + 11)
    picture = grab(made)
    module = made.module(made.width())
    whole = module * (21 + 2 * QUIET)
    assert module >= 2
    assert whole <= made.width()
    seen = {picture.colour(x, y) for x in range(whole) for y in range(whole)}
    assert seen == {"#000000", "#ffffff"}
    for y in range(-QUIET, 21 + QUIET):
        for x in range(-QUIET, 21 + QUIET):
            inside = 0 <= x < 21 and 0 <= y < 21
            black = inside and CHECKERS[y][x]
            corner = ((x + QUIET) * module, (y + QUIET) * module)
            colours = {picture.colour(corner[0] + d, corner[1] + d) for d in (0, module - 1)}
            assert colours == {"#000000" if black else "#ffffff"}
    theme.apply(qapp, "light")


def test_a_code_that_is_too_large_for_its_side_grows(qtbot, theme):
    made = QrCode(theme, side=40)
    qtbot.addWidget(made)
    made.show_matrix([[True] * 57] * 57)
    assert made.sizeHint().width() >= 2 * (57 + 2 * QUIET)


def test_a_checkpoint_becomes_a_code():
    pytest.importorskip("segno")
    note = "qverify.local/log/3f9a\n12904\n" + base64.b64encode(leaf(1)).decode() + "\n"
    matrix = matrix_of(note)
    assert matrix is not None
    finder = [[1] * 7, [1, 0, 0, 0, 0, 0, 1], *[[1, 0, 1, 1, 1, 0, 1]] * 3, [1, 0, 0, 0, 0, 0, 1], [1] * 7]
    assert [[int(module) for module in line[:7]] for line in matrix[:7]] == finder
    assert len(matrix) == len(matrix[0])


def test_a_text_that_is_too_long_for_a_code_draws_nothing(qtbot, theme, grab):
    made = QrCode(theme)
    qtbot.addWidget(made)
    assert made.show_text("x" * 5000) is False
    made.resize(100, 100)
    assert not grab(made).has(QColor("#000000"), QRect(0, 0, 100, 100))
