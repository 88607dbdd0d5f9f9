"""How much of a run's evidence leaves with its bundle."""

from __future__ import annotations

from enum import StrEnum


class Disclosure(StrEnum):
    """With the contents (source, prompts, output), with all events and no contents, or only that the run was and how it ended.
    What is left out takes nothing from what the rest proves."""

    FULL = "full"
    REDACTED = "redacted"
    HEADERS = "headers"

    @property
    def bundle_format(self) -> str:
        """Name of this bundle among the formats of an export."""
        return "evidence" if self is Disclosure.FULL else f"evidence-{self.value}"


#: Formats of an export that are a bundle.
BUNDLES = {one.bundle_format: one for one in Disclosure}
