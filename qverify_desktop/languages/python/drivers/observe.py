"""Call targets with generated inputs and record what happens. Runs inside the sandbox; asked by ``observe.json``.

For each target a worker of its own imports the module. A child of it searches: it draws and mutates programs, a fixed
number of them, and keeps those that reach something new. Then each kept program runs twice more, in children that have
seen nothing else, and what both agree on is reported.
"""

import sys

HERE = __file__.rpartition("/")[0] or "."
sys.path[:] = [entry for entry in sys.path if entry not in ("", HERE, ".qverify")]
sys.path.insert(0, HERE)

import importlib  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import resource  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

import qv_facts  # noqa: E402
import qv_inputs  # noqa: E402
import qv_programs  # noqa: E402
import qv_supervision  # noqa: E402
import qv_trial  # noqa: E402

sys.path.remove(HERE)

CALL_S = 1.0
REPLAY_S = 4.0
MEMORY = 1536 * 1024 * 1024
MOST_KEPT = 80


def main():
    with open(os.path.join(HERE, "observe.json"), encoding="utf-8") as file:
        request = json.load(file)
    sys.path[:0] = [os.path.join(os.getcwd(), root) if root else os.getcwd() for root in request["roots"]]
    journal = qv_supervision.Journal(os.environ["QV_OUT"], "observations.jsonl")
    qv_supervision.become_subreaper()
    end = time.monotonic() + request["deadline_s"]
    targets = request["targets"]
    closed = set()
    for index in range(len(targets)):
        if targets[index]["module"] in closed:
            continue
        left = end - time.monotonic()
        if left < 2:
            break
        share = max(1.0, min(request["target_s"], left / (len(targets) - index) * 2))
        if not observe(Work(request, index, share), journal, left):
            # What hangs or dies on its import does so again; the time belongs to the other modules.
            closed.add(targets[index]["module"])
    journal.record("done")
    journal.close()


def observe(work, journal, left):
    """One target in a worker; answers whether its module could be imported."""
    began = time.monotonic()
    span = {"most": min(left, work.request["import_s"]), "imported": False}

    def on_record(document, line):
        if document.get("kind") == "imported":
            after = time.monotonic() - began + work.seconds * 4 + 3 + 2 * REPLAY_S * work.request["most"]
            span.update(most=min(left, after), imported=True)
        else:
            journal.write(line)

    qv_supervision.run(work, on_record, lambda: began + span["most"])
    journal.make_room()
    return span["imported"]


class Work:
    """Everything that is done for one target, inside a worker."""

    def __init__(self, request, index, seconds):
        self.request = request
        self.index = index
        self.target = request["targets"][index]
        self.seconds = seconds
        self.project = frozenset(request["modules"])
        self.files = frozenset(os.path.join(os.getcwd(), path) for path in request["files"])

    def __call__(self, send):
        warnings.simplefilter("ignore")
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
        module = importlib.import_module(self.target["module"])
        send("imported")
        kept, chosen = [], None
        for document in in_child(lambda tell: Search(self, module).run(tell), self.seconds * 4 + 3):
            if document[0] == "kept":
                kept.append(document[1])
            else:
                chosen = document[1]
        for encoded in (chosen if chosen is not None else kept)[: self.request["most"]]:
            first = list(in_child(lambda tell, e=encoded: tell(self.replay(e)), REPLAY_S))
            second = list(in_child(lambda tell, e=encoded: tell(self.replay(e)), REPLAY_S))
            if first and second:
                outcome = agreed(first[0], second[0])
                if outcome is not None:
                    send("observation", target=self.target["id"], program=encoded, outcome=outcome)

    def trial(self):
        return qv_trial.Trial(self.target["module"], self.request["shared"], self.request["operators"])

    def replay(self, encoded):
        """One run of a program in a fresh process, as a document of its outcome."""
        program = qv_programs.program_of(encoded)
        qv_trial.set_alarm()
        qv_trial.refuse_side_effects()
        raises = qv_trial.Raises(self.files)
        trial = self.trial()
        with qv_trial.Quiet() as output:
            document = self._observed(trial, program, raises)
            document["out"] = output.getvalue()[: qv_trial.OUTPUT_MOST]
        return document

    def _observed(self, trial, program, raises):
        lazy = False
        try:
            with qv_trial.deadline(CALL_S * 2):
                value, subject, arguments = trial.run(program)
                if hasattr(type(value), "__next__"):
                    lazy = True
                    value = qv_facts.Read(value)
        except BaseException as error:
            merit = qv_trial.worth(error, raises)
            kind = type(error)
            raised = [kind.__module__, kind.__qualname__]
            return {"raised": raised, "merit": merit, "lazy": lazy} if merit else {}
        try:
            with qv_trial.deadline(CALL_S * 2):
                return self._outcome(program, value, subject, arguments)
        except BaseException:
            return {}

    def _outcome(self, program, value, subject, arguments):
        facts = qv_facts.Facts(self.project)
        facts.walk(value, [])
        state = qv_facts.Facts(self.project)
        steps = program[1]
        if steps and subject is not None and value is not subject:
            state.seen.add(id(value))
            state.walk(subject, [])
        changed = []
        for position, recipe in enumerate(steps[-1][2] if steps else []):
            if recipe[0] == "l" and isinstance(recipe[1], (list, dict, set)):
                source = qv_facts.literal(arguments[position])
                if source is not None and source != qv_facts.literal(recipe[1]):
                    changed.append([position, source])
        return {"facts": facts.found, "state": state.found, "changed": changed}


class Search:
    """The guided search of one target, in a child of its own."""

    def __init__(self, work, module):
        self.work = work
        self.target = work.target
        self.rng = random.Random(f"{work.request['seed']}:{self.target['id']}")
        self.trial = work.trial()
        self.raises = qv_trial.Raises(work.files)
        self.symbol = self.target["symbol"]
        self.name = self.symbol.rpartition(".")[2]
        self.holder = qv_trial.holder_of(self.target["module"], self.symbol)
        function = qv_trial.resolve(self.target["module"], self.symbol)
        self.function = function
        self.inputs = qv_inputs.Inputs(
            self.rng,
            module,
            self._seen_code(function),
            work.request["seeds"].get(self.target["module"], {}),
            work.request["shared"],
            work.project,
            work.request["producers"],
        )
        self.methods = qv_trial.project_methods(self.holder, work.project) if self.holder else []

    def _seen_code(self, function):
        return self.holder if self.holder is not None else function

    def run(self, tell):
        """Try the budget of programs; tell each kept one, and at the end those that together reach the most."""
        qv_trial.set_alarm()
        qv_trial.refuse_side_effects()
        arcs = qv_trial.Arcs(self.work.files)
        kept, partial, seen, half_seen = [], [], set(), set()
        stop = time.process_time() + self.work.seconds
        given = [self._given(call) for call in self.target["calls"]]
        for number in range(self.work.request["calls"]):
            if time.process_time() > stop or len(kept) >= MOST_KEPT:
                break
            self.inputs.odd = False
            program = given[number] if number < len(given) else self._next(number, kept, partial)
            if program is None:
                continue
            merit = self._try(program, arcs)
            if self.inputs.odd and merit != 2:
                # An answer to a value of a wrong type is nothing that the code means to give.
                continue
            found = arcs.arcs
            if merit and not found <= seen:
                seen |= found
                kept.append((program, found, merit, self.inputs.odd))
                tell(["kept", qv_programs.encode_program(program)])
            elif not merit and not found <= seen | half_seen:
                half_seen |= found
                partial.append(program)
        tell(["chosen", [qv_programs.encode_program(program) for program in chosen(kept, self.work.request["most"])]])

    def _try(self, program, arcs):
        """3 for an answer, else the merit of the error; the program's arcs are in ``arcs``."""
        with qv_trial.Quiet():
            try:
                with arcs.collect(), qv_trial.deadline(CALL_S):
                    value, _, _ = self.trial.run(program)
                    if hasattr(type(value), "__next__"):
                        list(itertools.islice(value, 41))
                return 3
            except BaseException as error:
                return qv_trial.worth(error, self.raises)

    def _next(self, number, kept, partial):
        corpus = kept if kept and (not partial or self.rng.random() < 0.8) else partial
        if corpus and number > 40 and self.rng.random() < 0.7:
            entry = corpus[int(len(corpus) * self.rng.random() ** 0.6)]
            self.inputs.odd = corpus is kept and entry[3]
            program = self._mutated(entry[0] if corpus is kept else entry)
            return self._mutated(program) if self.rng.random() < 0.3 else program
        return self._fresh()

    def _given(self, call):
        """A call that the repository itself writes, as a program; ``None`` where it does not fit the target."""
        positional = [qv_programs.decode(item) for item in call[0]]
        named = {name: qv_programs.decode(item) for name, item in call[1].items()}
        return self._around(positional, named)

    def _fresh(self):
        if self.target["callee"] == "property":
            return self._around([], {})
        arguments = self.inputs.arguments(self._callable())
        return None if arguments is None else self._around(*arguments)

    def _callable(self):
        if self.name in ("__init__", "__new__", "__post_init__"):
            return self.holder
        if self.target["callee"] == "method":
            # The signature as a caller sees it, without the receiver.
            return _Bound(self.function)
        return self.function

    def _around(self, positional, named):
        callee, operators = self.target["callee"], self.work.request["operators"]
        if self.holder is None or callee in ("staticmethod", "classmethod"):
            return None, [("call", self.symbol, positional, named)]
        if self.name in ("__init__", "__new__", "__post_init__"):
            return ("n", self.holder.__module__, self.holder.__qualname__, positional, named), []
        receiver = self.inputs.instance(self.holder)
        if receiver is None:
            return None
        if callee == "property":
            last = ("get", self.name, [], {})
        elif self.name in ("__enter__", "__exit__"):
            last = ("with", "", [], {})
        elif self.name in operators:
            taken = operators[self.name].count("{0}") + operators[self.name].count("{1}")
            if len(positional) < taken:
                return None
            last = ("op", self.name, positional[:taken], {})
        elif self.name.startswith("__") and self.name != "__call__":
            return None
        else:
            last = ("method", self.name, positional, named)
        before = []
        while self.methods and self.rng.random() < 0.45 and len(before) < 3:
            before.append(self._step())
        return receiver, [step for step in before if step is not None] + [last]

    def _step(self):
        if hasattr(self.holder, "__exit__") and self.rng.random() < 0.15:
            return ("with", "", [], {})
        name = self.rng.choice(self.methods)
        arguments = self.inputs.arguments(_Bound(getattr(self.holder, name)))
        return None if arguments is None else ("method", name, *arguments)

    def _mutated(self, program):
        if program is None:
            return None
        receiver, steps = program
        steps = list(steps)
        way = self.rng.random()
        if receiver is not None and (not steps or way < 0.25):
            return self.inputs.mutate(receiver), steps
        if receiver is not None and way < 0.4 and self.methods:
            step = self._step()
            return receiver, ([step] if step is not None else []) + steps if len(steps) < 4 else steps[1:]
        at = self.rng.randrange(len(steps)) if self.rng.random() < 0.3 else len(steps) - 1
        kind, name, positional, named = steps[at]
        if not positional and not named:
            return receiver, steps
        steps[at] = (kind, name, *self.inputs.mutate_arguments(positional, named))
        return receiver, steps


class _Bound:
    """A function as it is called on an instance: its first parameter is taken."""

    def __new__(cls, function):
        class Receiver:
            pass

        bound = getattr(function, "__get__", None)
        return bound(Receiver(), Receiver) if bound else function


def chosen(kept, most):
    """Greedy cover: at each turn the program that adds most, answers before errors, short before long."""
    left, covered, result = list(kept), set(), []
    while left and len(result) < most:
        best = max(left, key=lambda entry: (min(entry[2], 2), len(entry[1] - covered), -len(repr(entry[0]))))
        if not best[1] - covered:
            # Answers add nothing more; errors may.
            best = max(left, key=lambda entry: (len(entry[1] - covered), entry[2]))
            if not best[1] - covered:
                break
        covered |= best[1]
        left.remove(best)
        result.append(best[0])
    for entry in left:
        if len(result) >= min(3, most):
            break
        if entry[2] == 3:
            result.append(entry[0])
    return result


def agreed(first, second):
    """What two runs of the same program have in common; ``None`` where that is nothing worth saying."""
    if first.get("raised") or second.get("raised"):
        return first if first == second else None
    if "facts" not in first or "facts" not in second:
        return None
    outcome = {key: [item for item in first[key] if item in second[key]] for key in ("facts", "state", "changed")}
    outcome["out"] = first["out"] if first["out"] == second["out"] else ""
    return outcome


def in_child(function, seconds):
    """Run ``function(tell)`` in a child and yield what it told until it ended, died or was late."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)

            def tell(document):
                view = memoryview(json.dumps(document).encode() + b"\n")
                while view:
                    view = view[os.write(writing, view) :]

            function(tell)
        finally:
            os._exit(0)
    os.close(writing)
    buffer, stop = b"", time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, stop - time.monotonic()))
        data = os.read(reading, 1 << 18) if ready else b""
        if not data:
            break
        buffer += data
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    documents = []
    for line in buffer.split(b"\n"):
        try:
            documents.append(json.loads(line))
        except ValueError:
            continue
    return documents


if __name__ == "__main__":
    main()
