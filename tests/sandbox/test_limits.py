from pathlib import Path

from qverify_desktop.domain.execution import GIB, MIB, Limits
from qverify_desktop.sandbox.limits import host_config
from qverify_desktop.sandbox.system_calls import seccomp_profile


def test_defaults_are_the_measured_flags() -> None:
    config = host_config(Limits(), {"/src": Path("/somewhere")})
    assert config["Init"] is True
    assert config["NetworkMode"] == "none"
    assert config["ReadonlyRootfs"] is True
    assert config["CapDrop"] == ["ALL"]
    assert config["SecurityOpt"] == ["no-new-privileges", f"seccomp={seccomp_profile()}"]
    assert config["PidsLimit"] == 256
    assert config["Memory"] == config["MemorySwap"] == 2 * GIB
    assert config["NanoCpus"] == 2_000_000_000
    assert config["ShmSize"] == 64 * MIB
    assert config["Ulimits"] == [
        {"Name": "nofile", "Soft": 4096, "Hard": 4096},
        {"Name": "core", "Soft": 0, "Hard": 0},
        {"Name": "fsize", "Soft": 536870912, "Hard": 536870912},
    ]
    assert config["IpcMode"] == "private"
    assert config["LogConfig"] == {"Type": "none", "Config": {}}
    options = "rw,nosuid,nodev,exec,size={},nr_inodes={},uid=10001,gid=10001,mode=0700"
    assert config["Tmpfs"] == {"/tmp": options.format(512 * MIB, 262144), "/work": options.format(GIB, 524288)}


def test_nothing_weakens_the_engine_s_defaults() -> None:
    config = host_config(Limits(), {}, network=True)
    assert not {"Privileged", "CapAdd", "Devices", "PidMode", "UsernsMode", "Binds", "PortBindings"} & set(config)
    assert not any("unconfined" in option for option in config["SecurityOpt"])
    assert config["NetworkMode"] == "bridge"


def test_the_host_s_name_servers_are_only_for_a_job_with_network() -> None:
    config = host_config(Limits(), {})
    assert (config["Dns"], config["DnsSearch"]) == (["127.0.0.1"], ["."])
    config = host_config(Limits(), {}, network=True)
    assert (config["Dns"], config["DnsSearch"]) == ([], [])


def test_every_mount_is_a_read_only_bind() -> None:
    mounts = host_config(Limits(), {"/src": Path("/a:b\nc"), "/deps": Path("/d")})["Mounts"]
    assert [(mount["Target"], mount["Source"]) for mount in mounts] == [("/src", "/a:b\nc"), ("/deps", "/d")]
    assert all(mount["ReadOnly"] is True and mount["Type"] == "bind" for mount in mounts)


def test_limits_of_a_job_are_taken_over() -> None:
    limits = Limits(memory_bytes=5, cpus=0.25, pids=7, tmp_bytes=11, work_bytes=13, file_bytes=17)
    config = host_config(limits, {})
    assert (config["Memory"], config["MemorySwap"], config["NanoCpus"], config["PidsLimit"]) == (5, 5, 250_000_000, 7)
    assert "size=11," in config["Tmpfs"]["/tmp"]
    assert "size=13," in config["Tmpfs"]["/work"]
    assert {"Name": "fsize", "Soft": 17, "Hard": 17} in config["Ulimits"]
