"""Where control groups can be made, told from folders; the groups themselves are made for real in tests/integration/bubblewrap.

A kernel makes the files of a group with its folder. Folders of a test stay empty, so that a place whose probe lacks the
controller's file is never taken: that is what is shown here.
"""

from pathlib import Path

from qverify_desktop.sandbox import cgroups
from qverify_desktop.sandbox.bubblewrap_command import Held, kernel_version


def test_a_folder_without_the_controllers_files_is_no_place_and_nothing_stays(tmp_path: Path) -> None:
    for own in ("5:memory:/me\n4:pids:/me\n0::/\n", "0::/user.slice/me.scope\n", "", "nonsense", "a:b"):
        for name in ("memory/me", "pids/me", "user.slice/me.scope"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "user.slice" / "cgroup.subtree_control").write_text("memory pids\n")
        places = cgroups.find_places(own, tmp_path)
        assert (places.version, places.folders) == (0, {}), own
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(cgroups.PREFIX)]


def test_the_sentence_says_what_held(tmp_path: Path) -> None:
    all_of_it = Held(cgroups.Places(2, {"memory": tmp_path, "pids": tmp_path}), (6, 1))
    assert "Memory was limited by a control group (version 2), processes by a control group (version 2);" in (
        all_of_it.sentence
    )
    only_pids = Held(cgroups.Places(1, {"pids": tmp_path}), (4, 19))
    assert "for each process by itself (RLIMIT_DATA), not in all, processes by a control group (version 1);" in (
        only_pids.sentence
    )
    assert only_pids.processes and not Held(cgroups.Places(0, {}), (5, 13)).processes
    assert Held(cgroups.Places(0, {}), (5, 14)).processes


def test_kernel_versions() -> None:
    assert kernel_version("6.1.0-13-amd64") == (6, 1)
    assert kernel_version("5.14-rc1") == (5, 14)
    assert kernel_version("odd") == (0, 0)
