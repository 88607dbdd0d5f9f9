"""Programs in Java that run inside the sandbox, kept as files and laid over the snapshot in the folder ``.qverify``.

``Begin.java`` is started by the JVM from its source, compiles the others in the same process and starts the one that it is asked for. They
need the JDK, JUnit's launcher and JaCoCo, which the image brings.
"""

from __future__ import annotations

from importlib import resources

FOLDER = ".qverify"
#: Words of the supervising JVM: it compiles and counts, and never loads a class of the repository. The classes that it does
#: load are the image's, so they need no verification, which is a third of the Kotlin compiler's start.
COMMAND = (
    "java",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-BytecodeVerificationRemote",
    "-XX:ReservedCodeCacheSize=200m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx768m",
    "-cp",
    "/opt/jacoco/*:/opt/junit/console.jar:/opt/jacoco-agent/agent.jar",
    f"{FOLDER}/Begin.java",
)


def driver_files() -> dict[str, bytes]:
    """Overlay (path to content) of all programs."""
    here = resources.files(__name__)
    return {
        f"{FOLDER}/{one.name}": one.read_bytes()
        for one in sorted(here.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".java")
    }
