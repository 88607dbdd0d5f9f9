import json

from qverify_desktop.sandbox.system_calls import ALLOWED, NEW_NAMESPACE, seccomp_profile

#: Each of these would undo another lock; the engine's default refuses them too.
NEVER = {
    "mount", "umount2", "unshare", "setns", "pivot_root", "chroot", "bpf", "keyctl", "add_key", "request_key", "perf_event_open",
    "userfaultfd", "init_module", "finit_module", "kexec_load", "kexec_file_load", "open_by_handle_at", "syslog", "reboot",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "socketcall", "process_vm_writev", "pidfd_getfd", "open_tree",
    "move_mount", "fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr", "quotactl", "swapon", "iopl", "ioperm", "acct",
}  # fmt: skip


def test_what_is_not_named_is_refused() -> None:
    profile = json.loads(seccomp_profile())
    assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)
    assert {arch["architecture"] for arch in profile["archMap"]} == {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"}
    assert all(arch["subArchitectures"] == [] for arch in profile["archMap"])


def test_nothing_dangerous_is_named_and_nothing_twice() -> None:
    assert not NEVER & set(ALLOWED)
    assert len(set(ALLOWED)) == len(ALLOWED)
    # These are allowed for some arguments only, so they must not stand among those allowed for any.
    assert not {"clone", "clone3", "socket", "personality"} & set(ALLOWED)


def test_clone_and_socket_are_allowed_by_their_arguments() -> None:
    rules = [rule for rule in json.loads(seccomp_profile())["syscalls"] if rule.get("args")]
    by_name = {
        name: [r["args"] for r in rules if r["names"] == [name]] for name in ("clone", "socket", "personality")
    }
    assert by_name["clone"] == [[{"index": 0, "value": NEW_NAMESPACE, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]]
    assert [args[0]["value"] for args in by_name["socket"]] == [1, 2, 10, 16]
    assert {args[0]["op"] for args in by_name["socket"]} == {"SCMP_CMP_EQ"}
    # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
    assert NEW_NAMESPACE == 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000
