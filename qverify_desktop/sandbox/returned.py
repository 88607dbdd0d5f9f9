"""What a sandbox handed back, judged: whether its artefacts can be read, and the sentence where they can't."""

from __future__ import annotations

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.sandbox import entry
from qverify_desktop.sandbox.artefacts import read_artefacts
from qverify_desktop.sandbox.stream import CappedBytes, CappedOutput


def job_result(
    execution: Execution, output: CappedOutput, returned: CappedBytes, *, drained: bool, cap: int
) -> JobResult:
    """The result of a job. ``returned`` is what came over the entry's standard output (``entry.py``), ``drained`` whether it
    was read to its end, ``cap`` the most bytes of artefacts."""
    content = returned.content()
    if execution.timed_out:
        problem = "The command ran into its time limit and was killed."
    elif returned.overflown:
        problem = f"The artefacts hold more than {cap} bytes, so none was taken."
    elif not drained:
        problem = "The sandbox ended, but its output could not be read to the end."
    elif bytes(content[: len(entry.READY)]) != entry.READY:
        problem = (
            "The snapshot could not be laid out in the sandbox's work folder (too large for it, or not readable)."
        )
    elif len(content) == len(entry.READY):
        problem = "The command was killed before its artefacts could be handed back."
    else:
        artefacts = read_artefacts(content[len(entry.READY) :], cap)
        return JobResult(execution, output.text(), artefacts.files, artefacts.problem)
    return JobResult(execution, output.text(), {}, problem)
