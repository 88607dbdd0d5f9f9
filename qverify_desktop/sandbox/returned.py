"""What a sandbox handed back, judged: whether its artefacts can be read, and the sentence where they can't."""

from __future__ import annotations

from qverify_desktop.domain.execution import Execution, JobResult, Limits
from qverify_desktop.sandbox import entry
from qverify_desktop.sandbox.artefacts import read_artefacts
from qverify_desktop.sandbox.stream import CappedBytes, CappedOutput

#: The kernel says so though the command itself ended well: a child of it was killed, and what it did is not done.
KILLED_FOR_MEMORY = (
    "A process of the command was killed because it used too much memory, so its good end is not believed."
)


def job_result(
    execution: Execution,
    output: CappedOutput,
    returned: CappedBytes,
    *,
    drained: bool,
    limits: Limits,
    flooded: bool = False,
) -> JobResult:
    """The result of a job. ``returned`` is what came over the entry's standard output (``entry.py``), ``drained`` whether it
    was read to its end, ``flooded`` whether the command was killed for the mass of what it wrote."""
    content = returned.content()
    if execution.timed_out:
        problem = "The command ran into its time limit and was killed."
    elif returned.overflown:
        problem = f"The artefacts hold more than {limits.artefact_bytes} bytes, so none was taken."
    elif flooded:
        problem = f"The command wrote more than {limits.flood_bytes} bytes and was killed."
    elif not drained:
        problem = "The sandbox ended, but its output could not be read to the end."
    elif bytes(content[: len(entry.READY)]) != entry.READY:
        problem = (
            "The snapshot could not be laid out in the sandbox's work folder (too large for it, or not readable)."
        )
    elif len(content) == len(entry.READY):
        problem = "The command was killed before its artefacts could be handed back."
    else:
        artefacts = read_artefacts(content[len(entry.READY) :], limits.artefact_bytes)
        problem = artefacts.problem
        if execution.oom_killed and execution.exit_code == 0:
            problem = problem or KILLED_FOR_MEMORY
        return JobResult(execution, output.text(), artefacts.files, problem)
    return JobResult(execution, output.text(), {}, problem)
