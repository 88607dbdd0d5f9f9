"""Trying a program: building its values, running its steps under a deadline and without side effects, tracing its arcs.

Runs inside the sandbox, with the standard library only. A *program* is ``(receiver recipe or None, steps)``, a *step* is
``(kind, name, positional recipes, named recipes)`` with the kinds ``call`` (a function of the module, or a static or class
method), ``method``, ``get`` (a property), ``op`` (an operator of the shared table) and ``with`` (a context manager). What
is observed is the last step, or the receiver where there is none.
"""

import ast
import asyncio
import contextlib
import importlib
import inspect
import io
import os
import signal
import sys
import types

OUTPUT_MOST = 4000
_BLOCKED = (
    *(
        "os.remove",
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "os.chmod",
        "os.chown",
    ),
    *(
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.kill",
        "os.killpg",
        "os.putenv",
        "os.unsetenv",
    ),
    *(
        "subprocess.",
        "socket.connect",
        "socket.bind",
        "socket.getaddrinfo",
        "socket.gethost",
        "shutil.",
        "webbrowser.",
        "tempfile.",
        "signal.",
        "pty.",
        "ftplib.",
        "urllib.",
        "smtplib.",
    ),
    *(
        "socket.send",
        "http.",
        "sqlite3.",
        "ctypes.dlopen",
        "winreg.",
        "os.utime",
        "os.chflags",
        "fcntl.",
        "os.setxattr",
    ),
)
#: Errors that an input of the right type can meet in code that does not raise them itself.
_ORDINARY = (ValueError, LookupError, ArithmeticError)


class Late(BaseException):
    """The call took too long."""


class Refused(BaseException):
    """The call reached for files, processes or the network."""


def refuse_side_effects():
    """From here on, writing files, starting processes and opening connections raises ``Refused``."""

    def hook(event, args):
        if event == "open":
            mode, flags = args[1], args[2]
            writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            if writes or (mode is None and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
                raise Refused(event)
        elif event.startswith(_BLOCKED):
            raise Refused(event)

    sys.addaudithook(hook)


def set_alarm():
    def late(number, frame):
        raise Late

    signal.signal(signal.SIGALRM, late)


@contextlib.contextmanager
def deadline(seconds):
    """Raise ``Late`` in Python code that runs longer; code inside an extension is left to the parent."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def resolve(module, path):
    """The thing at a dotted path inside a module."""
    value = importlib.import_module(module)
    for part in path.split("."):
        value = getattr(value, part)
    return value


class Trial:
    """Runs programs of one target. ``shared`` are the shared values' sources, ``operators`` the operators'."""

    def __init__(self, module, shared, operators):
        self.module = module
        self.shared = shared
        self.operators = operators

    def build(self, recipe):
        """The value that a recipe describes, made anew."""
        tag = recipe[0]
        if tag == "l":
            # Through its source, so that no program sees what another one did to the value.
            return _copy(recipe[1])
        if tag == "n":
            return resolve(recipe[1], recipe[2])(*map(self.build, recipe[3]), **self._named(recipe[4]))
        if tag == "r":
            return resolve(recipe[1], recipe[2])
        if tag == "s":
            _, source, imports = self.shared[recipe[1]]
            names = {}
            for line in imports:
                exec(line, names)
            return eval(source, names)
        items = [self.build(item) for item in recipe[1]]
        return tuple(items) if tag == "T" else items

    def _named(self, named):
        return {name: self.build(recipe) for name, recipe in named.items()}

    def run(self, program):
        """Run all steps. Answers (value of the last, receiver, its positional arguments)."""
        receiver, steps = program
        try:
            subject = self.build(receiver) if receiver is not None else None
        except Exception as error:
            if steps:
                raise Refused("there is no receiver") from error
            raise
        value, arguments = subject, []
        for position, step in enumerate(steps):
            try:
                value, arguments = self._step(subject, step)
            except Exception as error:
                if position < len(steps) - 1:
                    raise Refused("an earlier step failed") from error
                raise
        return value, subject, arguments

    def _step(self, subject, step):
        kind, name, positional, named = step
        arguments, options = [self.build(item) for item in positional], self._named(named)
        if kind == "get":
            return getattr(subject, name), arguments
        if kind == "with":
            with subject:
                return None, arguments
        if kind == "op":
            return eval(
                self.operators[name].replace("{s}", "s").replace("{0}", "a[0]"), {"s": subject, "a": arguments}
            ), arguments
        function = getattr(subject, name) if kind == "method" else resolve(self.module, name)
        value = function(*arguments, **options)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        return value, arguments


def _copy(value):
    if isinstance(value, list):
        return [_copy(item) for item in value]
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_copy(item) for item in value)
    return set(value) if type(value) is set else value


class Quiet:
    """Standard streams that keep a little and never block."""

    def __enter__(self):
        self.saved = sys.stdin, sys.stdout, sys.stderr
        sys.stdin, sys.stdout, sys.stderr = io.StringIO(), io.StringIO(), io.StringIO()
        return sys.stdout

    def __exit__(self, *exc):
        sys.stdin, sys.stdout, sys.stderr = self.saved
        return False


class Raises:
    """Where the project's files hold ``raise`` statements."""

    def __init__(self, files):
        self.files = files
        self.spans = {}

    def explicit(self, error):
        """Whether the error was raised by a ``raise`` of the project, not by what the project called."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None:
            return False
        path = trace.tb_frame.f_code.co_filename
        if path not in self.files:
            return False
        return any(start <= trace.tb_lineno <= end for start, end in self._of(path))

    def _of(self, path):
        if path not in self.spans:
            try:
                with open(path, encoding="utf-8") as file:
                    tree = ast.parse(file.read())
                found = [(n.lineno, n.end_lineno) for n in ast.walk(tree) if isinstance(n, ast.Raise)]
            except (OSError, ValueError, SyntaxError, RecursionError):
                found = []
            self.spans[path] = found
        return self.spans[path]


def worth(error, raises):
    """2: the project raises it on purpose. 1: an ordinary error of a value. 0: says nothing about the code."""
    if not isinstance(error, Exception):
        return 0
    if raises.explicit(error):
        return 2
    return (
        1 if isinstance(error, _ORDINARY) and not isinstance(error, (FileNotFoundError, NotImplementedError)) else 0
    )


class Arcs:
    """Lines and branches of the project's files that run while ``collect`` is open."""

    def __init__(self, files):
        self.files = files
        self.arcs = set()
        self.monitoring = getattr(sys, "monitoring", None)
        if self.monitoring is not None:
            self._start()

    def _start(self):
        monitoring, files, skip = self.monitoring, self.files, self.monitoring.DISABLE
        events = monitoring.events
        monitoring.use_tool_id(3, "qverify")

        def line(code, number):
            if code.co_filename not in files:
                return skip
            self.arcs.add((code.co_filename, number))
            return None

        def branch(code, source, target):
            if code.co_filename not in files:
                return skip
            self.arcs.add((code.co_filename, code.co_firstlineno, source, target))
            return None

        monitoring.register_callback(3, events.LINE, line)
        self.events = events.LINE
        for name in ("BRANCH_LEFT", "BRANCH_RIGHT") if hasattr(events, "BRANCH_LEFT") else ("BRANCH",):
            monitoring.register_callback(3, getattr(events, name), branch)
            self.events |= getattr(events, name)
        # Once for all programs: switching it on and off would have every code object instrumented anew.
        monitoring.set_events(3, self.events)

    @contextlib.contextmanager
    def collect(self):
        self.arcs = set()
        if self.monitoring is None:
            sys.settrace(self._trace)
        try:
            yield
        finally:
            if self.monitoring is None:
                sys.settrace(None)

    def _trace(self, frame, event, argument):
        path = frame.f_code.co_filename
        if path not in self.files:
            return None
        last = [frame.f_lineno]

        def local(frame, event, argument):
            if event == "line":
                self.arcs.add((path, last[0], frame.f_lineno))
                last[0] = frame.f_lineno
            return local

        return local


def holder_of(module, symbol):
    """The class that a symbol's last part belongs to, ``None`` for a function of the module."""
    path = symbol.rpartition(".")[0]
    value = resolve(module, path) if path else None
    if path and not inspect.isclass(value):
        raise AttributeError(path)
    return value


def project_methods(kind, project):
    """Names of public methods that the project defines on a class or its bases, in order of definition."""
    names = []
    for base in reversed(kind.__mro__):
        if base.__module__ in project:
            names += [
                name for name, item in vars(base).items() if isinstance(item, types.FunctionType) and name[0] != "_"
            ]
    return list(dict.fromkeys(names))
