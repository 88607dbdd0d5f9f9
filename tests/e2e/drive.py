"""Scenarios over AT-SPI, run as a program by the system's Python: drive.py SCENARIO PYTHON FOLDER. Prints JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from seen import Application, Missing, note, showing, wait

CONTROLS = [
    "push button",
    "button",
    "toggle button",
    "check box",
    "radio button",
    "combo box",
    "text",
    "password text",
    "spin button",
    "table",
    "tree table",
    "list",
    "tree",
    "link",
    "menu item",
    "slider",
    "page tab",
]


def unnamed(app: Application) -> list[str]:
    """Controls on the screen that say nothing of themselves."""
    found = []
    for node in app.walk():
        if node.get_role_name() in CONTROLS and showing(node) and not (node.get_name() or "").strip():
            parent = node.get_parent()
            found.append(
                f"{node.get_role_name()} in {parent.get_role_name() if parent else ''} {parent.get_name() if parent else ''}"
            )
    return found


def sample(python: str, folder: str) -> dict:
    """Open the sample, watch it to its verdict, read the defect, accept a test, save the bundle, verify; close."""
    app = Application(python, os.path.join(folder, "home"))
    app.see("Everything needed is ready", seconds=60)
    clicks = ["Try the sample"]
    app.press("Try the sample")
    app.see("Stages", seconds=60)
    app.see("Judge the tests", seconds=120)
    note("running")
    app.see("Show results", "push button|button", seconds=400)
    clicks.append("Suspected defects")
    app.open_tab("Suspected defects")
    app.see("page_count(10, 5)", seconds=30)
    texts = app.texts()
    app.press("Confirm defect")
    wait(lambda: any("onfirmed" in text for text in app.texts()), 20, "the decision in the list")
    app.open_tab("Results")
    app.see("Review", "push button|button", seconds=30)
    shown = app.texts()
    app.see("Refuse", "push button|button", seconds=20)
    app.press("Refuse")
    # The row says it; the detail has gone on to the next test.
    app.see("refused by you", seconds=20)
    app.open_tab("Evidence")
    app.see("Every event of the run is in the signed log", seconds=30)
    app.open_tab("Report")
    app.press("Save Evidence bundle")
    app.see("Save as", "dialog|frame|file chooser", seconds=20)
    bundle = os.path.join(folder, "saved.qvevidence.zip")
    app.fill("File name:", bundle)
    app.press("Save")
    wait(lambda: os.path.exists(bundle), 20, "the file of the bundle")
    app.focus()
    code = app.end()
    return {"clicks": clicks, "texts": texts, "results": shown, "bundle": bundle, "exit": code}


def controls(python: str, folder: str) -> dict:
    """Every page, and what on it has no name. Uses the home that ``sample`` left."""
    app = Application(python, os.path.join(folder, "home"))
    app.see("Everything needed is ready", seconds=60)
    found: dict[str, list[str]] = {"Home": unnamed(app)}
    for number, page in enumerate(
        ("Runs", "Evidence", "Models", "Usage", "Hosted service", "Environment", "Settings"), 2
    ):
        app.focus()
        app.type(f"ctrl+{number}")
        wait(
            lambda page=page: (
                page in (app.window.get_name() or "") or page in (app.find("frame", "QVerify", part=True).get_name())
            ),
            20,
            page,
        )
        found[page] = unnamed(app)
    app.type("ctrl+2")
    app.focus()
    row = app.see("sample", "table cell", seconds=20)
    assert row is not None
    app.type("Return")
    for tab in ("Progress", "Results", "Suspected defects", "Source", "Evidence", "Report"):
        app.open_tab(tab)
        found[f"run: {tab}"] = unnamed(app)
    for keys, name in (
        ("ctrl+n", "New analysis"),
        ("ctrl+shift+n", "Git URL"),
        ("F1", "Keyboard shortcuts"),
        ("ctrl+k", "Command"),
    ):
        app.focus()
        app.type(keys)
        app.see(name, seconds=10)
        found[name] = unnamed(app)
        app.type("Escape")
    return {"unnamed": {page: names for page, names in found.items() if names}, "exit": app.end()}


def keyboard(python: str, folder: str) -> dict:
    """One whole analysis with the keyboard alone, from the start to the suspected defect."""
    app = Application(python, os.path.join(folder, "home"))
    app.see("Everything needed is ready", seconds=60)
    app.type("ctrl+n")
    app.see("Folder or Git URL", seconds=10)
    app.write(os.path.join(folder, "project"))
    app.see("Nothing leaves this machine", seconds=20)
    app.type("ctrl+Return")
    app.see("Stages", seconds=60)
    app.see("Show results", "push button|button", seconds=400)
    app.focus()
    app.type("ctrl+Tab", "ctrl+Tab")
    app.see("page_count(10, 5)", seconds=30)
    return {"texts": app.texts(), "exit": app.end()}


def containers_of(python: str, home: str) -> list[str]:
    """Containers, running or not, that belong to this state folder."""
    code = "import pathlib, sys; from qverify_desktop.sandbox.owner import Owner; print(Owner.of(pathlib.Path(sys.argv[1])).id)"
    owner = subprocess.run([python, "-c", code, home], capture_output=True, text=True, timeout=60, check=True)
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label=qverify.owner={owner.stdout.strip()}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return listed.stdout.split()


def cancel(python: str, folder: str) -> dict:
    """Cancel a run while it judges, resume it to its verdict, accept a test, write the tests, verify the evidence."""
    app = Application(python, os.path.join(folder, "home"), os.path.join(folder, "project"))
    app.see("Start analysis", "push button|button", seconds=60)
    app.see("Nothing leaves this machine", seconds=30)
    app.press("Start analysis")
    app.see("Judge the tests, running", seconds=200)
    app.press("Cancel the run")
    app.press("Cancel run")
    app.see("The run was cancelled", seconds=60)
    containers = containers_of(python, os.path.join(folder, "home"))
    texts = app.texts()
    app.press("Resume")
    app.see("Show results", "push button|button", seconds=400)
    app.open_tab("Results")
    app.see("Accept", "push button|button", seconds=30)
    app.press("Accept")
    app.see(", accepted", "table cell", seconds=20)
    app.press(app.see("Review", "push button|button").get_name())
    app.press("Into the working tree")
    app.press("Write files")
    app.see("Written", seconds=30)
    app.press("Close")
    app.open_tab("Evidence")
    app.press("Verify evidence")
    app.see("The bundle was verified again: Unanchored", seconds=30)
    return {"texts": texts, "containers": containers, "exit": app.end()}


def drop(python: str, folder: str) -> dict:
    """A drop through real XDND events, from the window of another process."""
    app = Application(python, os.path.join(folder, "home"))
    app.see("Everything needed is ready", seconds=60)
    line = [python, "-m", "tests.e2e.drag_source", os.path.join(folder, "project")]
    source = subprocess.Popen(line, env={**os.environ, "QT_QPA_PLATFORM": "xcb"})
    try:
        found = wait(
            lambda: subprocess.run(
                ["xdotool", "search", "--onlyvisible", "--name", "drag source"],
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            ).stdout.split(),
            20,
            "the window that is dragged from",
        )
        subprocess.run(["xdotool", "windowraise", found[0]], check=False, timeout=10)
        moves = ["mousemove", "60", "60", "sleep", "0.3", "mousedown", "1", "sleep", "0.3"]
        for x, y in ((80, 90), (140, 160), (300, 300), (500, 420), (620, 480), (640, 500)):
            moves += ["mousemove", str(x), str(y), "sleep", "0.15"]
        subprocess.run(["xdotool", *moves, "sleep", "0.5", "mouseup", "1"], check=True, timeout=30)
        app.see("Start analysis", "push button|button", seconds=20)
        field = wait(lambda: app.find("text", "Folder or Git URL"), 10, "the field of the source")
        text = field.get_text_iface()
        taken = text.get_text(0, text.get_character_count()) if text is not None else ""
    finally:
        source.kill()
        source.wait()
    app.type("Escape")
    return {"taken": taken, "exit": app.end()}


def air_gap(python: str, folder: str) -> dict:
    """Analyse a folder with the model of the settings, look at the pages that ask this machine, and try to fetch a repository."""
    app = Application(python, os.path.join(folder, "home"), os.path.join(folder, "project"))
    app.see("Start analysis", "push button|button", seconds=90)
    app.see("Nothing leaves this machine", seconds=60)
    app.press("Start analysis")
    app.see("Show results", "push button|button", seconds=400)
    app.press("Models")
    app.see("What may leave this machine", seconds=30)
    models = app.texts()
    app.press("Environment")
    app.see("Air gap", seconds=60)
    app.focus()
    app.type("ctrl+n")
    app.see("Folder or Git URL", seconds=20)
    app.write("git://192.0.2.1/shop")
    app.see("Start analysis", "push button|button", seconds=20)
    time.sleep(2)
    app.type("ctrl+Return")
    app.see("The air gap is on", seconds=60)
    texts = app.texts()
    app.type("Escape")
    return {"models": models, "texts": texts, "exit": app.end()}


SCENARIOS = {one.__name__: one for one in (sample, controls, keyboard, cancel, drop, air_gap)}

if __name__ == "__main__":
    try:
        print(json.dumps(SCENARIOS[sys.argv[1]](sys.argv[2], sys.argv[3])))
    except Missing:
        # What a person would have seen in its place.
        picture = os.path.join(sys.argv[3], f"{sys.argv[1]}-missing.png")
        subprocess.run(["import", "-window", "root", picture], check=False, timeout=20)
        raise
