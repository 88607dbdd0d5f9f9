"""The models page: what is told of a model, fetching with pause, removal with a question, import by sheet and drop."""

from __future__ import annotations

import functools
import gc
import os

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QFileDialog

from qverify_desktop.domain.errors import BadInput, ModelFailure
from qverify_desktop.engine.model_transfers import ModelTransfers
from qverify_desktop.engine.questions.models import refuse_pull, warning
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.ollama_models import OllamaModels
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.drops import of_mime
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.models import ModelsPage
from qverify_desktop.ui.pages.models_transfers import Speed
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.sheets.import_model import ImportModelSheet
from qverify_desktop.ui.widgets.rows import ROW
from tests.model_servers import gguf
from tests.model_servers.ollama_server import serving_ollama
from tests.model_servers.ollama_store import MODEL, Registry
from tests.ui.desk import ScriptedEngine, make_desk
from tests.ui.samples import window as samples

pytestmark = pytest.mark.ui


@pytest.fixture
def page(make, qtbot):
    """``page(answers)`` gives the engine, the desk and the page, shown and filled."""

    def build(engine=None, **changes):
        if engine is None:
            engine, desk = make(samples.answers(**changes))
        else:
            desk = make_desk(engine)
        made = ModelsPage(desk)
        qtbot.addWidget(made)
        made.resize(1000, 800)
        made.show()
        made.enter(Place("models"))
        qtbot.waitUntil(lambda: made.model.rowCount() > 0 and made._settings is not None)
        return engine, desk, made

    return build


def asked(engine: ScriptedEngine, question: str) -> list[dict]:
    return [params for name, params in engine.asked if name == question]


def row_of(page: ModelsPage, name: str):
    for at in range(page.model.rowCount()):
        if page.model.value_at(at)["name"] == name:
            return page.model.index(at, 0).data(ROW)
    raise AssertionError(name)


def test_a_row_tells_size_context_memory_and_fit(page, qtbot):
    _, _, made = page()
    qtbot.waitUntil(lambda: "4.7 GB" in row_of(made, "gemma3:4b").detail)
    row = row_of(made, "gemma3:4b")
    assert ("3.3 GB" in row.detail, "131,072" in row.detail, row.badge) == (True, True, "")
    assert (row_of(made, "llama3.3:70b").badge, row_of(made, "llama3.3:70b").badge_tone) == ("won't fit", "danger")
    assert "GB" not in row_of(made, "gpt-4.1").detail


def test_fetching_asks_the_engine_and_an_error_stands_at_the_field(page, qtbot):
    engine, _, made = page(model_pull=ModelFailure("The air gap is on.", "Import a file."))
    part = made.fetch
    qtbot.mouseClick(part.button, Qt.MouseButton.LeftButton)
    assert "Type the name" in part.remark.text()
    assert asked(engine, "model_pull") == []
    part.field.setText(" ollama run qwen2.5-coder:7b ")
    assert not part.remark.isVisible()
    qtbot.keyClick(part.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: part.remark.text() == "The air gap is on. Import a file.")
    assert asked(engine, "model_pull") == [{"name": "qwen2.5-coder:7b"}]
    assert "qwen2.5-coder:7b" in part.field.text()


def test_the_recommended_model_is_one_press_away_and_not_offered_where_it_is(page, qtbot):
    engine, _, made = page(model_pull=samples.transfer("qwen3-coder:30b", "running", 0, 0))
    qtbot.waitUntil(lambda: made.fetch.take.isVisible())
    made.fetch.take.click()
    qtbot.waitUntil(lambda: asked(engine, "model_pull") == [{"name": "qwen3-coder:30b"}])
    stored = samples.recommendation()
    stored["models"][0]["stored"] = True
    _, _, other = page(model_recommend=stored)
    qtbot.wait(50)
    assert not other.fetch._advice.isVisible()


def test_buttons_of_a_transfer_ask_what_they_say(page, qtbot):
    views = [
        samples.transfer("a", "running", 1, 10),
        samples.transfer("b", "paused", 1, 10, sentence="Paused."),
        samples.transfer("c", "paused", 1, 10, held=True, sentence="It won't fit."),
        samples.transfer("d", "failed", 0, 0, sentence="There is no model 'd'.", remedy="Check its name."),
    ]
    done = {f"model_{act}": views[0] for act in ("pause", "resume", "forget")}
    engine, _, made = page(model_transfers=samples.transfers(*views), **done)
    rows = made.fetch.list.rows
    qtbot.waitUntil(lambda: len(rows) == 4)
    assert rows["t-a"].told.text() == "Fetching · 1 B of 10 B"
    assert not rows["t-a"].off.isVisible()
    assert rows["t-d"].told.text() == "There is no model 'd'. Check its name."
    for name, button, question, more in (
        ("t-a", "go", "model_pause", {}),
        ("t-b", "go", "model_resume", {}),
        ("t-c", "anyway", "model_resume", {"force": True}),
        ("t-d", "off", "model_forget", {}),
    ):
        getattr(rows[name], button).click()
        qtbot.waitUntil(lambda q=question, n=name, m=more: {"transfer": n} | m in asked(engine, q))
    assert not rows["t-c"].go.isVisible()


def test_nothing_is_asked_once_the_page_is_left(page, qtbot, monkeypatch):
    monkeypatch.setattr("qverify_desktop.ui.watching.QUIET_MS", 50)
    engine, _, made = page()
    qtbot.waitUntil(lambda: len(asked(engine, "model_transfers")) > 3)
    made.leave()
    qtbot.wait(100)
    count = len(asked(engine, "model_transfers"))
    qtbot.wait(300)
    assert len(asked(engine, "model_transfers")) == count


def test_removal_is_asked_first_and_the_keyboard_begins_at_the_way_back(page, qtbot):
    engine, desk, made = page(model_delete=None)
    qtbot.waitUntil(lambda: made.remove.isEnabled())
    made.remove.click()
    sheet = desk.front.sheet
    assert sheet.first_focus() is sheet.back
    assert "9.0 GB" in sheet.body.itemAt(0).widget().text()
    assert "New analyses use it" in sheet.body.itemAt(1).widget().text()
    assert asked(engine, "model_delete") == []
    sheet.act.click()
    qtbot.waitUntil(lambda: asked(engine, "model_delete") == [{"name": "qwen2.5-coder:14b", "api_base": ""}])
    made.list.choose(("gpt-4.1", "https://models.example.org/v1"))
    assert not made.remove.isEnabled()


def test_a_model_that_will_not_fit_is_used_only_after_a_warning(page, qtbot):
    engine, desk, made = page(settings_change=samples.settings())
    qtbot.waitUntil(lambda: row_of(made, "llama3.3:70b").badge != "")
    made.list.choose(("llama3.3:70b", ""))
    desk.actions.trigger("models.use")
    assert asked(engine, "settings_change") == []
    assert "won't fit" in desk.front.sheet.body.itemAt(0).widget().text()
    desk.front.sheet.act.click()
    qtbot.waitUntil(
        lambda: asked(engine, "settings_change") == [{"changes": {"model": "llama3.3:70b", "api_base": ""}}]
    )
    made.list.choose(("gemma3:4b", ""))
    desk.actions.trigger("models.use")
    qtbot.waitUntil(lambda: len(asked(engine, "settings_change")) == 2)


def test_a_file_is_chosen_without_a_nested_loop_and_named_in_a_sheet(page, qtbot, tmp_path):
    file = tmp_path / "own.Q4.gguf"
    file.write_bytes(gguf.write())
    engine, desk, made = page(model_import=BadInput("own.Q4.gguf is no GGUF file.", "Convert it."))
    desk.actions.trigger("models.import")
    (dialog,) = made.fetch.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(file))
    dialog.reject()
    sheet = desk.front.sheet
    assert isinstance(sheet, ImportModelSheet)
    sheet.field.setText("mine")
    sheet.confirm()
    qtbot.waitUntil(lambda: "no GGUF" in sheet.remark.text())
    assert asked(engine, "model_import") == [{"path": str(file), "name": "mine"}]
    assert sheet.next.isEnabled()


def test_a_dropped_gguf_file_opens_the_import(make, qtbot, tmp_path):
    file = tmp_path / "Own.GGUF"
    file.write_bytes(gguf.write())
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    assert of_mime(mime).models == (str(file),)
    engine, desk = make(samples.answers(model_import=[samples.transfer("own", "running", 0, 10, kind="import")]))
    window = Window(desk.theme, desk.bridge, Preferences(None))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: desk.bridge.is_ready)
    window.take(of_mime(mime))
    assert window.place.page == "models"
    sheet = window.sheets.sheet
    assert isinstance(sheet, ImportModelSheet)
    sheet.confirm()
    qtbot.waitUntil(lambda: asked(engine, "model_import") == [{"path": str(file), "name": ""}])
    qtbot.waitUntil(lambda: window.sheets.sheet is None)


def test_speed_is_told_over_the_last_seconds_and_begins_anew_after_a_step_back():
    speed = Speed()
    assert speed.note(0, 0.0) == 0
    assert speed.note(500, 0.5) == 0
    assert speed.note(2_000, 2.0) == 1_000
    assert speed.note(100_000, 100.0) == 0
    assert speed.note(10, 101.0) == 0


class LiveEngine(ScriptedEngine):
    """The transfers of the engine over a real server; the rest is scripted."""

    def __init__(self, home, base: str) -> None:
        super().__init__(samples.answers())
        self.base = base
        self.models = OllamaModels(ModelGateway().ollama)
        self.transfers = ModelTransfers(home, self.models, warning, functools.partial(refuse_pull, home))

    async def ask(self, question: str, /, **params):
        self.asked.append((question, params))
        if question == "model_pull":
            return await self.transfers.pull(params["name"], self.base, False)
        if question == "model_transfers":
            after = params["after"]
            return await self.transfers.watch(after) if after else self.transfers.view()
        if question == "model_pause":
            return await self.transfers.pause(params["transfer"])
        if question == "model_resume":
            return await self.transfers.resume(params["transfer"], False)
        self.asked.pop()
        return await super().ask(question, **params)


@pytest.fixture
def swept():
    """No garbage of earlier tests is collected in a thread of this one: their widgets may only go in the window's own."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_real_pull_is_paused_and_gone_on_with_from_the_window(page, qtbot, loop, tmp_path, swept):
    registry = Registry()
    weights = gguf.write(weights=os.urandom(4 * 1024 * 1024))
    registry.add("tiny", (MODEL, weights))
    with serving_ollama(tmp_path / "models", registry) as server:
        server.tick_s = 0.03
        engine = LiveEngine(tmp_path, server.url)
        _, _, made = page(engine)
        made.fetch.field.setText("tiny")
        made.fetch.button.click()
        qtbot.waitUntil(lambda: len(made.fetch.list.rows) == 1, timeout=10_000)
        (row,) = made.fetch.list.rows.values()
        qtbot.waitUntil(lambda: row.view["done"] > 300_000, timeout=20_000)
        assert 0 < row.bar.value() < 1000
        row.go.click()
        qtbot.waitUntil(lambda: row.view["state"] == "paused", timeout=10_000)
        qtbot.wait(300)
        served = registry.served
        qtbot.wait(200)
        assert registry.served == served
        listed = len(asked(engine, "stored_models"))
        row.go.click()
        qtbot.waitUntil(lambda: row.view["state"] == "done", timeout=30_000)
        assert registry.served == server.store.size("tiny")
        assert row.told.text() == "It is there (4.2 MB)."
        qtbot.waitUntil(lambda: len(asked(engine, "stored_models")) == listed + 1, timeout=5_000)
        made.leave()
        engine.models.close()
