"""Images of the sandbox runtimes on this machine: find them, build them, prove that they work."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import ImageNotFound, NotFound

from qverify_desktop.domain.connections import Gate, Purpose, Refusal
from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError, SandboxFailure
from qverify_desktop.domain.execution import ImagePin, Job, JobResult, RuntimeImage
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, Connections, mending, unavailable
from qverify_desktop.sandbox.container import Assignment
from qverify_desktop.sandbox.flight import Flight
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.recipes import Recipe, load_recipes, resources_root
from qverify_desktop.sandbox.sources import Sources

__all__ = ["ImageCheck", "Recipe", "build_image", "check_image", "find_image", "load_recipes", "resources_root"]

RECIPE = "qverify.recipe"
TOOLS = "qverify.tools"
DIFFERENCES = "qverify.differences"

_IMAGE_ID = re.compile(r"sha256:[0-9a-f]{64}")
#: Images of one recipe that are looked at.
_MOST_IMAGES = 50

#: A build from nothing takes one minute or two here; a slow mirror may take many.
BUILD_TIMEOUT_S = 3600
#: Exit status of a recipe's ``check`` where the sample can't even be collected or compiled (pytest's word for it; the other
#: recipes follow it). A test that fails gives 1.
DOES_NOT_COMPILE = 2

#: What the build needs of the environment: the ways to Docker, to the package mirrors and to a temporary folder. Keys of
#: model providers and whatever else a person has exported stay out of the child.
_PASSED = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|XDG_(CONFIG_HOME|RUNTIME_DIR)|APT_CONFIG|PIP_\w+|SSL_CERT_(FILE|DIR)"
    r"|(REQUESTS|CURL)_CA_BUNDLE|NODE_EXTRA_CA_CERTS|NPM_CONFIG_(USER|GLOBAL)CONFIG|DOCKER_(HOST|CONFIG|CONTEXT|CERT_PATH|TLS_VERIFY)|(HTTP|HTTPS|NO|ALL)_PROXY",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ImageCheck:
    """Whether the sample's tests passed in an image and their coverage came back; ``sentence`` says what happened.

    ``output`` is what the tests printed, ``exit_code`` their command's, ``coverage`` the artefacts that the recipe
    names, by name (those that came back and are not empty).
    """

    passed: bool
    sentence: str
    output: str
    duration_ms: int
    exit_code: int = 0
    coverage: Mapping[str, bytes] = field(default_factory=dict)


def find_image(client: docker.APIClient, recipe: Recipe) -> RuntimeImage:
    """The image of exactly this recipe; ``digest`` is empty when it is not built.

    Raises ``MissingPrerequisite`` where the engine does not answer.
    """
    try:
        found = _inspected(client, recipe.reference)
    except ENGINE_ERRORS as error:
        raise MissingPrerequisite(unavailable(error), f"{mending(None)} and try again.") from error
    if found is None or _labels(found).get(RECIPE) != recipe.digest:
        return RuntimeImage(recipe.runtime, recipe.reference, languages=recipe.languages)
    return _described(found, recipe.runtime, recipe.reference, recipe.languages)


def find_pinned(client: docker.APIClient, pin: ImagePin) -> RuntimeImage | None:
    """The image that a run's evidence names, whatever it is called here: the one with its id, else one made of the same recipe
    with the same layers (an engine with another image store numbers the same image otherwise). ``None`` where there is none.

    An image that QVerify did not make is never answered. Raises ``MissingPrerequisite`` where the engine does not answer.
    """
    if not _IMAGE_ID.fullmatch(pin.digest):
        return None
    try:
        found = _inspected(client, pin.digest)
        if found is None and pin.recipe and pin.layers:
            listed = client.images(filters={"label": [f"{RECIPE}={pin.recipe}"]})
            others = (_inspected(client, str(one["Id"])) for one in listed[:_MOST_IMAGES])
            found = next((one for one in others if one is not None and layers_digest(one) == pin.layers), None)
    except ENGINE_ERRORS as error:
        raise MissingPrerequisite(unavailable(error), f"{mending(None)} and try again.") from error
    if found is None or not _labels(found).get(RECIPE):
        return None
    named = next(
        (str(tag) for tag in found.get("RepoTags") or () if not str(tag).endswith(":latest")), str(found["Id"])[:19]
    )
    return _described(found, pin.runtime, named, ())


def layers_digest(found: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over an inspected image's layer digests (OCI image configuration, ``rootfs.diff_ids``), a line each."""
    layers = (found.get("RootFS") or {}).get("Layers") or ()
    return hashlib.sha256("".join(f"{layer}\n" for layer in layers).encode()).hexdigest()


def _inspected(client: docker.APIClient, image: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.inspect_image(image)  # type: ignore[no-untyped-call]
    except (ImageNotFound, NotFound):
        return None
    return found


def _labels(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return found.get("Config", {}).get("Labels") or {}


def _described(found: Mapping[str, Any], runtime: str, reference: str, languages: tuple[str, ...]) -> RuntimeImage:
    labels = _labels(found)
    return RuntimeImage(
        runtime=runtime,
        reference=reference,
        digest=str(found["Id"]),
        languages=languages,
        tools=_json(labels.get(TOOLS), dict),
        differences=tuple(_json(labels.get(DIFFERENCES), list)),
        size_bytes=int(found.get("Size") or 0),
        recipe=str(labels.get(RECIPE) or ""),
        layers=layers_digest(found),
    )


def build_image(
    client: docker.APIClient | None,
    recipe: Recipe,
    progress: Callable[[str], None],
    *,
    again: bool = False,
    checkpoint: Callable[[], None] = lambda: None,
    engine: str = "",
    gate: Gate | None = None,
) -> RuntimeImage:
    """Build the recipe's image, unless it is there (``again`` builds it anyway). Blocks for about a minute.

    ``progress`` takes lines of text; ``checkpoint`` is called at least every second and may raise to stop, which ends the
    build's script. ``engine`` is the address of ``client``'s engine; where ``gate`` refuses a build, one is made only if all that it
    needs is on this machine. Raises ``MissingPrerequisite`` with the one line that mends it (no Docker, no
    network, a tool that is not installed), ``SandboxFailure`` when the build itself breaks. An image that was there
    before stays as it was in either case.
    """
    shell = shutil.which("bash")
    if shell is None:
        raise MissingPrerequisite("Building a sandbox image needs bash, which is not installed.", "Install bash.")
    if not recipe.script.is_file():
        raise MissingPrerequisite(
            f"The script that builds sandbox images is missing ({recipe.script}).", "Install the application again."
        )
    command = [shell, str(recipe.script), recipe.runtime, *(["--force"] if again else [])]
    refusal = gate.refusal(Purpose.IMAGE_BUILD) if gate is not None else None
    if refusal is not None and engine and not engine.startswith("unix://"):
        # The docker command would open ways of its own there.
        raise MissingPrerequisite(refusal.sentence, refusal.remedy)
    status, problem = _follow(command, progress, checkpoint, _environment(os.environ, engine, refusal))
    if status == 3 and refusal is not None and refusal.sentence in problem:
        raise MissingPrerequisite(refusal.sentence, refusal.remedy)
    if status != 0:
        raise _refusal(status, problem, recipe)
    image = find_image(client or Connections().client(), recipe)
    if not image.digest:
        raise SandboxFailure(
            f"The image {recipe.reference} was built, but the engine in use does not have it.",
            "Check that DOCKER_HOST and the docker command's context name the same engine.",
        )
    return image


def check_image(
    recipe: Recipe,
    image: RuntimeImage,
    *,
    owner: Owner | None = None,
    base_url: str | None = None,
    gate: Gate | None = None,
    begun: Callable[[Flight], None] = lambda flight: None,
) -> ImageCheck:
    """Run the recipe's sample in ``image`` under the flags of every sandboxed run; blocks for seconds. ``begun`` is told what can
    be aborted from another thread.

    Raises ``MissingPrerequisite`` when the image is not built, or as ``Flight.go`` does where the engine fails.
    """
    if not image.digest:
        raise MissingPrerequisite(
            f"The sandbox image {image.reference} is not built.", f"Type: qverify runtimes build {image.runtime}"
        )
    connections = Connections(base_url, gate)
    job = Job("runtime-check", recipe.check, limits=recipe.limits)
    try:
        with tempfile.TemporaryDirectory(prefix="qverify-check-") as folder:
            sample = _readable_copy(recipe.sample, Path(folder) / "sample")
            whose = owner or Owner("runtime-check", Path(folder) / "inbox")
            # An engine on another machine can't mount the sample.
            sources = Sources(whose) if connections.remote else None
            try:
                flight = Flight(connections, Assignment(whose, job, image, sample, "runtime-check"), sources)
                begun(flight)
                result = flight.go()
            finally:
                if sources is not None:
                    sources.close()
    finally:
        connections.close()
    return _judged(recipe, image, result)


def _judged(recipe: Recipe, image: RuntimeImage, result: JobResult) -> ImageCheck:
    facts = result.execution
    coverage = {name: result.artefacts[name] for name in recipe.coverage if result.artefacts.get(name)}
    passed = facts.exit_code == 0 and not facts.timed_out and not facts.oom_killed
    if facts.timed_out:
        sentence = f"The sample's tests in {image.reference} did not end within {recipe.limits.timeout_s} s."
    elif facts.oom_killed:
        sentence = f"The sample's tests in {image.reference} needed more memory than the recipe gives them."
    elif facts.exit_code == DOES_NOT_COMPILE:
        sentence = f"The sample does not compile in {image.reference} (exit status {facts.exit_code})."
    elif not passed:
        sentence = f"The sample's tests fail in {image.reference} (exit status {facts.exit_code})."
    elif len(coverage) < len(recipe.coverage):
        passed = False
        lacking = ", ".join(name for name in recipe.coverage if name not in coverage)
        missing = result.problem or f"Missing or empty: {lacking}."
        sentence = f"The sample's tests pass in {image.reference}, but their coverage did not come back. {missing}"
    else:
        sentence = f"The sample's tests pass in {image.reference}, and their coverage came back."
    return ImageCheck(passed, sentence, result.output, facts.duration_ms, facts.exit_code, coverage)


def _readable_copy(sample: Path, target: Path) -> Path:
    # A checkout made under a strict umask can't be read by the container's user.
    shutil.copytree(sample, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def _environment(of: Mapping[str, str], engine: str = "", refusal: Refusal | None = None) -> dict[str, str]:
    env = {key: value for key, value in of.items() if _PASSED.fullmatch(key)}
    if engine.startswith(("unix://", "tcp://", "ssh://")):
        # So that the docker command and we name the same engine, whatever its context is.
        env["DOCKER_HOST"] = engine
        env.pop("DOCKER_CONTEXT", None)
    if refusal is not None:
        env = {key: value for key, value in env.items() if not key.lower().endswith("_proxy")}
        env["QVERIFY_NO_NETWORK"] = refusal.sentence
    if not getattr(sys, "frozen", False):
        env["QVERIFY_PYTHON"] = sys.executable
    return env | {"LC_ALL": "C.UTF-8"}


def _follow(
    command: list[str],
    progress: Callable[[str], None],
    checkpoint: Callable[[], None],
    environment: Mapping[str, str],
) -> tuple[int, str]:
    """Run the build, hand its lines on, answer its exit status and what it wrote to standard error."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        watchdog = threading.Timer(BUILD_TIMEOUT_S, _end, [process])
        watchdog.start()
        try:
            for line in _lines(process):
                checkpoint()
                if line is not None:
                    progress(line)
            status = process.wait()
        finally:
            watchdog.cancel()
            _end(process)
        errors.seek(0)
        return status, errors.read()


def _lines(process: subprocess.Popen[str]) -> Iterator[str | None]:
    """Every line that the build says until its output ends; ``None`` for every half second in which it says nothing."""
    said: queue.Queue[str | None] = queue.Queue()
    output = process.stdout
    assert output is not None

    def read() -> None:
        with output:
            for line in output:
                said.put(line.rstrip("\n"))
        said.put(None)

    # A script that is silent for minutes must be stopped all the same, and reading a pipe can't be.
    threading.Thread(target=read, name="sandbox-build", daemon=True).start()
    while True:
        try:
            line = said.get(timeout=0.5)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def _end(process: subprocess.Popen[str]) -> None:
    """End the build and every child of it, where it still runs."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        # Also those that are deaf to the first signal and outlive the shell.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _refusal(status: int, problem: str, recipe: Recipe) -> QVerifyError:
    lines = [line.strip() for line in problem.splitlines() if line.strip()]
    last = lines[-1] if lines else f"The build of {recipe.reference} ended with status {status}."
    sentence, separator, remedy = last.partition(" Type: ")
    if status == 3:
        return MissingPrerequisite(sentence, f"Type: {remedy}" if separator else "")
    if status < 0:
        return SandboxFailure(
            f"The build of {recipe.reference} was stopped (signal {-status}).",
            f"Type: qverify runtimes build {recipe.runtime}",
        )
    said = " ".join(lines[-4:])[-600:] or last
    return SandboxFailure(
        f"The image {recipe.reference} could not be built: {said}", f"Type: qverify runtimes build {recipe.runtime}"
    )


def _json(text: str | None, kind: type) -> Any:
    """A label's JSON, or an empty value of ``kind``: labels are not ours on an image that someone else has tagged."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return kind()
    return value if isinstance(value, kind) else kind()
