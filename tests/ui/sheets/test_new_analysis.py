"""The sheet of a new analysis: what it asks for, what it promises before Start, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLabel, QLineEdit

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.project import Scope
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.ui import language
from qverify_desktop.ui.sheets.new_analysis import NewAnalysisSheet
from qverify_desktop.ui.sheets.new_analysis_model import NO_MODEL, ORDER, OWN, problem_of_base, stays_here
from tests.ui.samples import window as samples
from tests.ui.samples.results import SOURCE

pytestmark = pytest.mark.ui

REMOTE = ("gpt-4.1", "https://models.example.org/v1")
LOCAL = ("qwen2.5-coder:14b", "")
NO_MODELS = {"models": [], "sentence": "No model answers on this machine.", "remedy": "Start it with: ollama serve"}


@pytest.fixture
def opened(make, qtbot):
    """``opened(remembered, look, source, **answers)`` gives engine, desk and the sheet once the source was looked at."""

    def build(remembered=None, look=None, source=SOURCE, size=(640, 860), **answers):
        shape = {"remembered": remembered or {}, **(look or {})}
        engine, desk = make(
            samples.answers(
                **{
                    "settings": samples.settings(model="none"),
                    "repository_look": lambda source: samples.look(source) | shape,
                    **answers,
                }
            )
        )
        sheet = NewAnalysisSheet(desk, source)
        qtbot.addWidget(sheet)
        sheet.resize(*size)
        sheet.show()
        qtbot.waitUntil(lambda: "models" in dict(engine.asked) and "settings" in dict(engine.asked))
        if source:
            qtbot.waitUntil(lambda: "repository_look" in dict(engine.asked) and not _looking(sheet))
        if sheet.look is not None and "repository_cloud" not in answers:
            qtbot.waitUntil(lambda: sheet.cloud._kept is not None)
        qtbot.waitUntil(lambda: answers.get("models", "") is None or len(sheet.model.rows) > 2 or "models" in answers)
        return engine, desk, sheet

    return build


def _looking(sheet):
    return any(one.text() == "It is being looked at." for one in sheet.findChildren(QLabel))


def words(sheet):
    return " | ".join(one.text() for one in sheet.findChildren(QLabel) if one.isVisible() and one.text())


def kept(cloud, hosts=(), order=()):
    """What was decided for the repository, and where the person's order leads."""
    return lambda source, model, api_base: {"cloud": cloud, "hosts": list(hosts), "order": list(order)}


def decide(sheet, policy):
    """Press one of the two answers, as a person does."""
    sheet.cloud.rows[policy].radio.click()


def press(sheet, scope):
    """The segment of the scope, as a person presses it."""
    next(one for one in sheet.scope.kind.findChildren(QAbstractButton) if one.text() == scope).click()


def started(desk):
    return [args[0] for name, args in desk.front.calls if name == "start"]


# What is asked for


def test_it_begins_with_everything_and_no_model(opened):
    _, _, sheet = opened()
    assert sheet.request() == AnalysisRequest(source=SOURCE)
    assert sheet.model.chosen() == NO_MODEL
    assert "At most 200 targets, free" in words(sheet) and "Nothing leaves this machine." in words(sheet)


def test_what_was_chosen_for_the_repository_stands_again(opened):
    chosen = {
        "scope": "files:tidydate/o*.py",
        "model": LOCAL[0],
        "api_base": "",
        "max_targets": 18,
        "seed": 7,
        "allow_install": True,
        "runtime": "python",
        "budget_microusd": 500_000,
        "packages": "",
        "time_budget_s": 600,
    }
    _, _, sheet = opened(chosen)
    wanted = AnalysisRequest(
        SOURCE,
        Scope("files", glob="tidydate/o*.py"),
        *LOCAL,
        max_targets=18,
        seed=7,
        allow_install=True,
        time_budget_s=600,
    )
    assert sheet.request() == wanted
    sheet.effort.again.setChecked(True)
    assert sheet.request() == replace(wanted, fresh=True), "only for this once"
    assert sheet.choices() == chosen
    assert "As chosen the last time" in words(sheet)


def test_start_remembers_the_choices_closes_the_sheet_and_starts(opened, qtbot):
    engine, desk, sheet = opened({"scope": "changed:v2.2.0"})
    with qtbot.waitSignal(sheet.close_wanted):
        qtbot.keyClick(sheet.source, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert [one.scope for one in started(desk)] == [Scope("changed", ref="v2.2.0")]
    qtbot.waitUntil(lambda: "repository_remember" in dict(engine.asked))
    remembered = dict(engine.asked)["repository_remember"]
    assert remembered["source"] == SOURCE and remembered["choices"]["scope"] == "changed:v2.2.0"


def test_another_source_brings_its_own_choices(opened, qtbot):
    engine, _, sheet = opened({"scope": "files:tidydate/*.py", "model": LOCAL[0], "api_base": ""})
    engine.answers["repository_look"] = lambda source: samples.look(source) | {"remembered": {}}
    sheet.source.setFocus()
    sheet.source.selectAll()
    qtbot.keyClicks(sheet.source, "/home/ada/code/ledger-api")
    qtbot.waitUntil(lambda: sheet.look is not None and sheet.look["source"].endswith("ledger-api"), timeout=5000)
    assert sheet.request() == AnalysisRequest(source="/home/ada/code/ledger-api")


# Scope


def test_refs_are_offered_as_they_are_typed(opened, qtbot):
    _, _, sheet = opened()
    press(sheet, "Changed since")
    completer = sheet.scope.ref.completer()
    completer.setCompletionPrefix("2.")
    assert [completer.completionModel().index(at, 0).data() for at in range(completer.completionCount())] == [
        "v2.3.0",
        "v2.2.0",
    ]
    assert sheet.request().scope == Scope("changed", ref="v2.3.0"), "the newest ref that is not the branch itself"


@pytest.mark.parametrize(
    ("glob", "said", "possible"),
    [
        ("tidydate/*.py", "3 files match.", True),
        ("*/offset.py", "1 file matches.", True),
        ("docs/*", "No source file matches the pattern.", False),
        ("", "Type a pattern of file names.", False),
    ],
)
def test_a_pattern_says_how_many_files_it_matches(opened, glob, said, possible):
    _, _, sheet = opened()
    press(sheet, "Chosen files")
    sheet.scope.glob.setText(glob)
    assert said in words(sheet)
    assert sheet.start_button.isEnabled() is possible
    wrong = bool(glob) and not possible
    assert sheet.scope.glob.property("error") == ("true" if wrong else "false")
    assert sheet.scope.glob.accessibleDescription() == (said if wrong else "")


def test_a_folder_without_git_knows_no_changes(opened):
    _, _, sheet = opened(look={"git": False, "branch": "", "refs": []})
    press(sheet, "Changed since")
    assert "Only a Git repository knows what changed." in words(sheet)
    assert not sheet.start_button.isEnabled()


# Model and what leaves


@pytest.mark.parametrize(
    ("name", "base", "stays"),
    [
        ("qwen", "", True),
        ("openai/gpt-4.1", "", False),
        ("anthropic/claude-sonnet-4-5", "", False),
        ("azure/mine", "", False),
        ("x", "http://127.0.0.1:8080/v1", True),
        ("x", "http://localhost:1234", True),
        ("x", "http://[::1]:8080/v1", True),
        ("x", "https://models.example.org/v1", False),
        ("x", "http://localhost.example.org/v1", False),
        ("x", "http://127.0.0.1.example.org/v1", False),
        ("x", "https://example.org//127.0.0.1/v1", False),
        ("x", "http://127.0.0.1@example.org/v1", False),
        ("x", "http://192.168.0.7/v1", False),
        ("x", "http://[broken", False),
    ],
)
def test_only_this_machine_counts_as_this_machine(name, base, stays):
    assert stays_here(name, base) is stays


@pytest.mark.parametrize(
    ("base", "wrong"),
    [
        ("", False),
        ("http://127.0.0.1:8080/v1", False),
        ("https://models.example.org", False),
        ("models.example.org", True),
        ("ftp://models.example.org", True),
        ("http://", True),
        ("http://host:x/v1", True),
        ("http://[broken", True),
        ("https://me:key@host/v1", True),
        ("https://host/v1?key=1", True),
        ("https://host /v1", True),
    ],
)
def test_an_address_that_the_engine_would_refuse_is_told_below_its_field(opened, base, wrong):
    _, _, sheet = opened()
    sheet.model.rows[OWN].radio.click()
    sheet.model.name.setText("some-model")
    sheet.model.base.setText(base)
    decide(sheet, CloudPolicy.ALLOWED)
    said = problem_of_base(base)
    assert bool(said) is wrong and sheet.start_button.isEnabled() is not wrong
    assert sheet.model.base.property("error") == ("true" if wrong else "false")
    assert sheet.model.base.accessibleDescription() == said


@pytest.mark.parametrize(
    ("key", "install", "source", "promise", "leaves"),
    [
        (LOCAL, False, SOURCE, "free", ["Nothing leaves this machine."]),
        (NO_MODEL, True, SOURCE, "free", ["The names of missing packages go to the package index."]),
        (REMOTE, False, SOURCE, "at the price of your provider", ["The source of each target", "models.example.org"]),
        (NO_MODEL, False, "https://git.example.org/a/b.git", "free", ["fetched from git.example.org."]),
        (NO_MODEL, False, "git@git.example.org:a/b.git", "free", ["fetched from git.example.org."]),
    ],
)
def test_the_foot_says_targets_cost_and_all_that_leaves(opened, key, install, source, promise, leaves):
    _, _, sheet = opened({"max_targets": 18}, source=source)
    sheet.model.rows[key].radio.click()
    decide(sheet, CloudPolicy.ALLOWED)
    sheet.network.install.setChecked(install)
    told = sheet.foot_words()
    assert told.startswith(f"At most 18 targets, {promise}")
    assert all(part in told for part in leaves)
    assert ("Nothing leaves" in told) == (leaves == ["Nothing leaves this machine."])


def test_a_budget_stands_where_a_model_costs_something(opened):
    _, _, sheet = opened({"model": REMOTE[0], "api_base": REMOTE[1], "budget_microusd": 2_500_000})
    decide(sheet, CloudPolicy.ALLOWED)
    assert sheet.budget.isVisible() and sheet.request().budget_microusd == 2_500_000
    assert "at the price of your provider until $2.50 are spent" in sheet.foot_words()
    sheet.budget.amount.setValue(0)
    assert sheet.budget.amount.text() == "No limit" and "spent" not in sheet.foot_words()
    sheet.budget.amount.setValue(1.25)
    sheet.model.rows[LOCAL].radio.click()
    assert not sheet.budget.isVisible() and sheet.request().budget_microusd == 0
    assert sheet.choices()["budget_microusd"] == 1_250_000, "remembered for the next model that costs something"


def test_a_name_that_goes_to_openai_by_itself_is_no_local_model(opened):
    _, _, sheet = opened()
    sheet.model.rows[OWN].radio.click()
    sheet.model.name.setText("openai/gpt-4.1")
    decide(sheet, CloudPolicy.ALLOWED)
    assert "api.openai.com" in sheet.foot_words() and "free" not in sheet.foot_words()


def test_air_gap_refuses_models_elsewhere(opened):
    _, _, sheet = opened(
        {"model": REMOTE[0], "api_base": REMOTE[1]}, settings=samples.settings(air_gap=True, model="none")
    )
    assert sheet.model.chosen() == NO_MODEL
    assert not sheet.model.rows[REMOTE].isEnabled() and sheet.model.rows[LOCAL].isEnabled()
    assert "gpt-4.1 was chosen before. Air gap is on, so it is not asked." in words(sheet)
    sheet.model.rows[OWN].radio.click()
    sheet.model.name.setText("x")
    sheet.model.base.setText("https://models.example.org/v1")
    assert not sheet.start_button.isEnabled() and "Air gap is on" in sheet.foot_words()
    sheet.model.base.setText("http://127.0.0.1:8080/v1")
    assert sheet.start_button.isEnabled()


def test_no_model_is_the_choice_when_none_answers(opened, qtbot):
    _, _, sheet = opened({"model": LOCAL[0], "api_base": ""}, models=NO_MODELS)
    qtbot.waitUntil(lambda: "ollama serve" in words(sheet))
    assert sheet.model.chosen() == NO_MODEL and sheet.start_button.isEnabled()
    assert "qwen2.5-coder:14b was chosen before and does not answer now." in words(sheet)


def test_a_model_of_the_settings_is_offered_first_and_a_press_outlives_late_answers(opened):
    _, _, sheet = opened(settings=samples.settings(model=LOCAL[0]))
    assert sheet.model.chosen() == LOCAL
    sheet.model.rows[NO_MODEL].radio.click()
    sheet.model.show_models(samples.models())
    sheet.model.show_settings(samples.settings(model=LOCAL[0]))
    assert sheet.model.chosen() == NO_MODEL


def test_a_press_anywhere_in_a_row_chooses_it(opened, qtbot):
    _, _, sheet = opened()
    row = sheet.model.rows[LOCAL]
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.rect().center())
    assert sheet.model.chosen() == LOCAL
    assert row.property("on") == "true" and sheet.model.rows[NO_MODEL].property("on") == "false"


# Whether prompts may leave


def test_a_model_elsewhere_is_asked_about_and_no_answer_is_chosen_before_the_person_s(opened, qtbot):
    _, desk, sheet = opened()
    assert not sheet.cloud.isVisible() and sheet.request().cloud == ""
    sheet.model.rows[REMOTE].radio.click()
    assert sheet.cloud.isVisible() and "go to models.example.org? Your answer is kept for it." in words(sheet)
    assert sheet.cloud.policy() is CloudPolicy.UNDECIDED and not sheet.start_button.isEnabled()
    assert "Decide whether prompts of this repository may leave this machine." in sheet.foot_words()
    sheet.confirm()
    assert started(desk) == []
    spoken = [one.radio.accessibleDescription() for one in sheet.cloud.rows.values()]
    assert all("go to models.example.org?" in words for words in spoken)
    decide(sheet, CloudPolicy.LOCAL_ONLY)
    assert not sheet.start_button.isEnabled() and "stay on this machine" in sheet.foot_words()
    decide(sheet, CloudPolicy.ALLOWED)
    assert sheet.start_button.isEnabled() and "go to models.example.org" in sheet.foot_words()
    sheet.confirm()
    assert [one.cloud for one in started(desk)] == ["allowed"]
    assert "cloud" not in sheet.choices(), "it is no choice of one analysis"


def test_a_model_on_this_machine_needs_no_answer_and_brings_none(opened):
    _, _, sheet = opened(repository_cloud=kept("allowed"))
    sheet.model.rows[LOCAL].radio.click()
    assert not sheet.cloud.isVisible() and sheet.start_button.isEnabled() and sheet.request().cloud == ""


def test_what_was_decided_stands_chosen_and_can_be_changed(opened, qtbot):
    _, _, sheet = opened({"model": REMOTE[0], "api_base": REMOTE[1]}, repository_cloud=kept("local_only"))
    qtbot.waitUntil(lambda: sheet.cloud.policy() is CloudPolicy.LOCAL_ONLY)
    assert "This is what you decided." in words(sheet) and not sheet.start_button.isEnabled()
    decide(sheet, CloudPolicy.ALLOWED)
    assert sheet.start_button.isEnabled() and sheet.request().cloud == "allowed"


def test_start_waits_until_it_is_known_what_was_decided(opened):
    _, _, sheet = opened(
        {"model": REMOTE[0], "api_base": REMOTE[1]}, repository_cloud=BadInput("The state folder can't be read.")
    )
    assert not sheet.start_button.isEnabled()
    decide(sheet, CloudPolicy.ALLOWED)
    assert not sheet.start_button.isEnabled() and "looked up" in sheet.foot_words()


def test_the_order_of_models_is_offered_and_kept_to_this_machine_where_that_is_decided(opened, qtbot):
    answer = kept("", ["models.example.org"], ["azure", "ollama"])
    _, _, sheet = opened(repository_cloud=answer)
    qtbot.waitUntil(lambda: ORDER in sheet.model.rows)
    sheet.model.rows[ORDER].radio.click()
    assert (
        sheet.request().model == "auto" and "azure, ollama" in sheet.model.rows[ORDER].radio.accessibleDescription()
    )
    assert not sheet.start_button.isEnabled()
    decide(sheet, CloudPolicy.LOCAL_ONLY)
    assert sheet.start_button.isEnabled() and sheet.request().cloud == "local_only"
    assert "Of your order only what is on this machine is asked." in words(sheet)
    assert "free" in sheet.foot_words() and "Nothing leaves this machine." in sheet.foot_words()
    decide(sheet, CloudPolicy.ALLOWED)
    assert "go to models.example.org" in sheet.foot_words()


def test_an_order_that_cannot_be_read_leaves_the_decision_readable(opened, qtbot):
    def answer(source, model, api_base):
        if model == "auto":
            return BadInput("models.toml can't be used.")
        return {"cloud": "allowed", "hosts": [], "order": []}

    _, _, sheet = opened({"model": REMOTE[0], "api_base": REMOTE[1]}, repository_cloud=answer)
    qtbot.waitUntil(lambda: sheet.cloud.policy() is CloudPolicy.ALLOWED)
    assert ORDER not in sheet.model.rows and sheet.start_button.isEnabled()


def test_another_source_begins_without_an_answer(opened, qtbot):
    engine, _, sheet = opened({"model": REMOTE[0], "api_base": REMOTE[1]}, repository_cloud=kept("allowed"))
    qtbot.waitUntil(sheet.start_button.isEnabled)
    engine.answers["repository_cloud"] = kept("")
    sheet.source.setFocus()
    sheet.source.selectAll()
    qtbot.keyClicks(sheet.source, "/home/ada/code/ledger-api")
    qtbot.waitUntil(lambda: sheet.look is not None and sheet.look["source"].endswith("ledger-api"), timeout=5000)
    qtbot.waitUntil(lambda: "Decide whether" in sheet.foot_words())
    assert sheet.cloud.policy() is CloudPolicy.UNDECIDED


# Runtime and network


@pytest.mark.parametrize(
    ("ready", "sentence", "said"),
    [
        (True, "Ready: qverify/python.", "The sandbox image is ready."),
        (True, "Ready, with reduced isolation: qverify/python.", "Reduced isolation: the settings choose bubblewrap"),
        (False, "Not built. Type: qverify runtimes build python", "The sandbox image is built first"),
        (
            False,
            "Not on this machine. Type: qverify runtimes import FILE python",
            "bubblewrap has no root file system yet.",
        ),
        (False, "No Docker Engine answers. Start it with: systemctl start docker", "No Docker Engine answers."),
    ],
)
def test_the_runtime_says_whether_it_can_be_used(opened, ready, sentence, said):
    runtime = {
        "runtime": "python",
        "languages": ["python"],
        "files": 14,
        "ready": ready,
        "sentence": sentence,
        "analysable": True,
    }
    _, _, sheet = opened(look={"runtimes": [runtime]})
    assert sheet.runtime.chosen() == "python"
    assert said in words(sheet) and "qverify runtimes" not in words(sheet)


def test_a_language_that_cannot_be_analysed_is_named_and_cannot_be_chosen(opened):
    python = {
        "runtime": "python",
        "languages": ["python"],
        "files": 14,
        "ready": True,
        "sentence": "",
        "analysable": True,
    }
    why = "JavaScript and TypeScript can't be analysed yet, so these files are left as they are (in <b>)."
    node = {
        "runtime": "node",
        "languages": ["javascript", "typescript"],
        "files": 12,
        "ready": False,
        "sentence": why,
    }
    _, _, sheet = opened(look={"runtimes": [python, {**node, "analysable": False}]})
    box = sheet.runtime.box
    assert [box.itemText(at) for at in range(box.count())] == [
        "Python · 14 files",
        "JavaScript, TypeScript · 12 files · not analysable yet",
    ]
    assert not box.model().item(1).isEnabled() and "(in &lt;b&gt;)" in box.itemData(1, Qt.ItemDataRole.ToolTipRole)
    assert sheet.runtime.chosen() == "python" and sheet.start_button.isEnabled()
    assert "Found too, but not analysable yet: JavaScript, TypeScript." in words(sheet)
    for remembered in ({"runtime": "node"}, {"runtime": ""}, {}):
        sheet.runtime.remember(remembered)
    assert sheet.runtime.chosen() == "python"


def test_installing_is_off_until_it_is_allowed_and_says_what_it_means(opened):
    _, _, sheet = opened()
    assert not sheet.request().allow_install and "Off: what needs a package" in words(sheet)
    sheet.network.install.click()
    assert sheet.request().allow_install and "On: packages that the sandbox lacks" in words(sheet)
    assert sheet.network.install.accessibleDescription().startswith("On:")


def test_a_folder_of_packages_needs_no_network(opened, tmp_path):
    _, _, sheet = opened()
    sheet.network.install.click()
    sheet.network.folder.setText(f" {tmp_path} ")
    assert not sheet.network.install.isEnabled()
    assert (sheet.request().packages, sheet.request().allow_install) == (str(tmp_path), False)
    assert "with no network" in words(sheet) and sheet.choices()["packages"] == str(tmp_path)
    sheet.network.folder.clear()
    assert sheet.network.install.isEnabled() and (sheet.request().packages, sheet.request().allow_install) == (
        "",
        True,
    )


# Sources that can't be taken


def test_without_a_source_it_asks_for_one(opened, qtbot):
    _, _, sheet = opened(source="")
    assert "Which repository?" in words(sheet) and not sheet.start_button.isEnabled()
    assert sheet.first_focus() is sheet.source
    sheet.confirm()
    assert sheet.look is None


@pytest.mark.parametrize(
    "look",
    [
        {"problem": "There is no source in a language that can be analysed. Python is known.", "runtimes": []},
        BadInput("There is no source in a language that can be analysed.", "Drop the folder that holds the source."),
    ],
    ids=["problem", "error"],
)
def test_a_source_that_cannot_be_analyzed_says_why_and_what_to_do(opened, look, qtbot):
    bad = look if isinstance(look, BadInput) else (lambda source: samples.look(source) | look)
    engine, desk, sheet = opened(repository_look=bad)
    assert "There is no source in a language that can be analysed." in words(sheet)
    assert not sheet.start_button.isEnabled() and started(desk) == []
    engine.answers["repository_look"] = lambda source: samples.look(source)
    again = next(
        one
        for one in sheet.findChildren(QAbstractButton)
        if one.isVisible() and one.text() in ("Look again", "Try again")
    )
    again.click()
    qtbot.waitUntil(sheet.start_button.isEnabled)
    assert sheet.source.property("error") == "false"


# Everything fits and has a name


HOSTILE = "<b>x</b>\n\u202egnp.exe\x07" + "A" * 3000


@pytest.mark.parametrize("code", ["en", language.PSEUDO])
def test_no_text_makes_the_sheet_wider_than_it_is(opened, code):
    language.use(code)
    try:
        one = {"name": HOSTILE, "provider": "x", "api_base": "", "place": "local", "bytes": 0, "sentence": HOSTILE}
        models = {"models": [one], "sentence": "", "remedy": ""}
        _, _, sheet = opened(
            {"scope": "changed:" + "r" * 3000, "model": HOSTILE, "api_base": ""},
            look={"name": HOSTILE, "branch": HOSTILE, "refs": ["main", "r" * 3000]},
            models=models,
            size=(640, 640),
        )
        assert sheet.width() == 640
        inside = sheet.area.widget()
        assert inside.minimumSizeHint().width() <= sheet.area.viewport().width()
        right = sheet.area.viewport().width()
        cut = [
            f"{type(one).__name__} {one.accessibleName()[:40]}"
            for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox)
            for one in inside.findChildren(kind)
            if one.isVisible() and one.mapTo(inside, one.rect().topRight()).x() > right
        ]
        assert cut == []
        assert all("\u202e" not in one.text() and "\x07" not in one.text() for one in sheet.findChildren(QLabel))
    finally:
        language.use("en")


def test_every_control_has_a_name_and_the_keyboard_reaches_start(opened, qtbot):
    _, desk, sheet = opened()
    controls = [
        one
        for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox)
        for one in sheet.findChildren(kind)
        if one.isVisible() and not isinstance(one.parent(), QComboBox | QAbstractSpinBox)
    ]
    assert [type(one).__name__ for one in controls if not (one.accessibleName() or _text(one))] == []
    sheet.model.rows[NO_MODEL].radio.setFocus()
    qtbot.keyClick(sheet.model.rows[NO_MODEL].radio, Qt.Key.Key_Down)
    assert sheet.model.chosen() == LOCAL
    qtbot.keyClick(sheet.model.rows[LOCAL].radio, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert [(one.model, one.api_base) for one in started(desk)] == [LOCAL]


def _text(one):
    return one.text() if isinstance(one, QAbstractButton) else ""
