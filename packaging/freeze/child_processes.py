"""Runs first in the frozen application: programs that it starts (git, a shell, a browser) use the system's libraries.

The boot loader points LD_LIBRARY_PATH at the application's own libraries. The loader of this process has read it by now;
only children would still follow it, and the system's git would meet our copy of a library of its own.
"""

import os

_before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
os.environ.pop("LD_LIBRARY_PATH", None)
if _before:
    os.environ["LD_LIBRARY_PATH"] = _before
# The git package looks for the program when it is imported; ours is looked for, with a sentence, when it is needed.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
