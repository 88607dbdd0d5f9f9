"""Keys of models that a process was started with: taken out of its environment before it starts any child.

Light on purpose: the first thing that the command line and the window do is to call ``take``.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import ClassVar

#: Environment variables that hold a model's key, and the provider they are for ("" for whatever end point is used).
KEY_VARIABLES = {
    "QVERIFY_API_KEY": "",
    "OPENAI_API_KEY": "openai",
    "ANTHROPIC_API_KEY": "anthropic",
    "AZURE_API_KEY": "azure",
    "AZURE_OPENAI_API_KEY": "azure",
    "OLLAMA_API_KEY": "ollama",
}


class StartKeys:
    """The keys that this process was started with. A process has one environment, so there is one of these."""

    _taken: ClassVar[dict[str, str]] = {}

    @classmethod
    def take(cls) -> dict[str, str]:
        """Take the keys out of the process's environment; answers all that were ever taken out of it, by provider.

        Whatever is started afterwards, by us or by a library, inherits none (``unsetenv``). The kernel goes on showing this
        process's own first environment to its owner (``/proc/self/environ``).
        """
        cls._taken = taken_from(os.environ) | cls._taken
        return dict(cls._taken)


def taken_from(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Take the keys out of ``environ``; by provider, the first variable of the list wins."""
    taken: dict[str, str] = {}
    for variable, provider in KEY_VARIABLES.items():
        value = environ.pop(variable, "").strip()
        if value:
            taken.setdefault(provider, value)
    return taken
