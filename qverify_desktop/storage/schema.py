"""Tables of ``qverify.db`` and the forward migrations that make them. Results and evidence leaves share one database."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

#: ``PRAGMA application_id`` of our databases: "QVfy" in ASCII.
APPLICATION_ID = 0x51566679

#: SQLite takes the index of the headers only for a condition that is written as the index is.
IS_HEADER = "entries.type IN ('run_opened', 'run_closed')"

#: One entry per schema version, oldest first. An entry that was released is never changed: append a new one.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            run TEXT PRIMARY KEY NOT NULL, request_json TEXT NOT NULL, source TEXT NOT NULL, started_at TEXT NOT NULL,
            status TEXT NOT NULL, stage TEXT NOT NULL, sentence TEXT NOT NULL, verdict TEXT NOT NULL,
            accepted INTEGER NOT NULL, refused INTEGER NOT NULL, suspected INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX runs_by_start ON runs (started_at)",
        """CREATE TABLE steps (
            run TEXT NOT NULL, step TEXT NOT NULL, result TEXT NOT NULL, first_seq INTEGER NOT NULL,
            events INTEGER NOT NULL, recorded_at TEXT NOT NULL, PRIMARY KEY (run, step)
        ) STRICT""",
        """CREATE TABLE entries (
            "index" INTEGER PRIMARY KEY NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL, step TEXT NOT NULL,
            type TEXT NOT NULL, leaf BLOB NOT NULL, leaf_hash BLOB NOT NULL, UNIQUE (run, seq),
            FOREIGN KEY (run, step) REFERENCES steps (run, step)
        ) STRICT""",
        "CREATE INDEX entries_headers ON entries (\"index\") WHERE type IN ('run_opened', 'run_closed')",
        """CREATE TABLE salts (
            "index" INTEGER NOT NULL REFERENCES entries ("index"), key TEXT NOT NULL, salt BLOB NOT NULL,
            sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY ("index", key)
        ) STRICT""",
        """CREATE TABLE checkpoints (
            size INTEGER PRIMARY KEY NOT NULL, run TEXT NOT NULL, note TEXT NOT NULL, verifier_key TEXT NOT NULL,
            protection TEXT NOT NULL, signed_at TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE log (
            id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1), origin TEXT NOT NULL, size INTEGER NOT NULL, edge BLOB NOT NULL
        ) STRICT""",
    ),
    (
        "ALTER TABLE runs ADD COLUMN measures TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX entries_model_answers ON entries (run) WHERE type = 'model_answer'",
        "CREATE INDEX runs_by_source ON runs (source, started_at)",
        """CREATE TABLE repositories (
            source TEXT PRIMARY KEY NOT NULL, pinned INTEGER NOT NULL, forgotten_at TEXT NOT NULL, choices TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE decisions (
            run TEXT NOT NULL REFERENCES runs (run), kind TEXT NOT NULL CHECK (kind IN ('test', 'defect')),
            subject TEXT NOT NULL, decision TEXT NOT NULL, note TEXT NOT NULL, decided_at TEXT NOT NULL,
            PRIMARY KEY (run, kind, subject)
        ) STRICT""",
    ),
    (
        """CREATE TABLE subtrees (
            level INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, number)
        ) STRICT, WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE model_calls (
            call INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, run TEXT NOT NULL, source TEXT NOT NULL, request TEXT NOT NULL,
            purpose TEXT NOT NULL, deployment TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
            sent_at TEXT NOT NULL, holder TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('intended', 'answered', 'failed', 'in_doubt', 'cached')),
            estimate_microusd INTEGER NOT NULL CHECK (estimate_microusd >= 0),
            cost_microusd INTEGER NOT NULL CHECK (cost_microusd >= 0),
            prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
            sentence TEXT NOT NULL
        ) STRICT""",
        # What was asked before there was a ledger is in the evidence log; the log's text may not stop the migration.
        """INSERT INTO model_calls (run, source, request, purpose, deployment, provider, model, sent_at, holder, state,
                estimate_microusd, cost_microusd, prompt_tokens, completion_tokens, duration_ms, sentence)
            SELECT e.run, r.source, e.run || '/' || e.seq, 'generate',
                coalesce(CAST(e.data ->> 'provider' AS TEXT), ''), coalesce(CAST(e.data ->> 'provider' AS TEXT), ''),
                coalesce(CAST(e.data ->> 'model' AS TEXT), ''), r.started_at, '', 'answered', 0,
                max(0, coalesce(CAST(e.data ->> 'cost_microusd' AS INTEGER), 0)),
                coalesce(CAST(e.data ->> 'prompt_tokens' AS INTEGER), 0),
                coalesce(CAST(e.data ->> 'completion_tokens' AS INTEGER), 0),
                coalesce(CAST(e.data ->> 'duration_ms' AS INTEGER), 0), ''
            FROM (SELECT run, seq, CASE WHEN json_valid(CAST(leaf AS TEXT)) THEN CAST(leaf AS TEXT) -> 'data' END AS data
                FROM entries WHERE type = 'model_answer') AS e
            JOIN runs AS r ON r.run = e.run ORDER BY r.started_at, e.run, e.seq""",
        "CREATE INDEX model_calls_by_run ON model_calls (run)",
        "CREATE INDEX model_calls_by_time ON model_calls (sent_at)",
        "CREATE INDEX model_calls_open ON model_calls (holder) WHERE state = 'intended'",
        """CREATE TABLE model_queues (
            deployment TEXT PRIMARY KEY NOT NULL, free_at_us INTEGER NOT NULL, seen_at_us INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE model_tickets (
            ticket TEXT PRIMARY KEY NOT NULL, deployment TEXT NOT NULL, holder TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX model_tickets_by_deployment ON model_tickets (deployment)",
        """CREATE TABLE model_answers (
            key TEXT PRIMARY KEY NOT NULL, answer BLOB NOT NULL, bytes INTEGER NOT NULL, made_at INTEGER NOT NULL,
            used INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX model_answers_by_use ON model_answers (used, bytes)",
    ),
    (
        "ALTER TABLE model_calls ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX model_answers_by_age ON model_answers (made_at)",
    ),
    (
        """CREATE TABLE attestations (
            run TEXT PRIMARY KEY NOT NULL, size INTEGER NOT NULL, envelopes BLOB NOT NULL
        ) STRICT""",
        "CREATE TABLE tiles (number INTEGER PRIMARY KEY NOT NULL, hashes BLOB NOT NULL) STRICT",
        """CREATE TABLE anchors (
            size INTEGER NOT NULL REFERENCES checkpoints (size), kind TEXT NOT NULL CHECK (kind IN ('time_stamp', 'witness')),
            name TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'refused')), content BLOB NOT NULL,
            by TEXT NOT NULL, made_at TEXT NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL, sentence TEXT NOT NULL,
            PRIMARY KEY (size, kind, name)
        ) STRICT""",
        "CREATE INDEX anchors_waiting ON anchors (next_at) WHERE state = 'waiting'",
        """CREATE TABLE signing_keys (
            verifier_key TEXT PRIMARY KEY NOT NULL, protection TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('in_use', 'rotated', 'revoked')), changed_at TEXT NOT NULL,
            size INTEGER NOT NULL, reason TEXT NOT NULL
        ) STRICT""",
        "CREATE UNIQUE INDEX signing_key_in_use ON signing_keys (state) WHERE state = 'in_use'",
    ),
)


class Base(MappedAsDataclass, DeclarativeBase):
    """Every table as a dataclass. Times are RFC 3339 UTC; hashes are 32 raw bytes, digests lower-case hex."""


class RunRow(Base):
    """A run as it is listed. ``request_json`` is the request's canonical text; ``status`` a ``RunStatus`` value;
    ``measures`` the JSON of ``storage.runs.measures_of``, empty until the run is finished."""

    __tablename__ = "runs"

    run: Mapped[str] = mapped_column(primary_key=True)
    request_json: Mapped[str]
    source: Mapped[str]
    started_at: Mapped[str]
    status: Mapped[str]
    stage: Mapped[str] = mapped_column(default="")
    sentence: Mapped[str] = mapped_column(default="")
    verdict: Mapped[str] = mapped_column(default="")
    accepted: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    suspected: Mapped[int] = mapped_column(default=0)
    measures: Mapped[str] = mapped_column(default="")


class RepositoryRow(Base):
    """What a person keeps about a source: pinned or not, when it was taken off the list, and the last choices as JSON."""

    __tablename__ = "repositories"

    source: Mapped[str] = mapped_column(primary_key=True)
    pinned: Mapped[int] = mapped_column(default=0)
    forgotten_at: Mapped[str] = mapped_column(default="")
    choices: Mapped[str] = mapped_column(default="{}")


class DecisionRow(Base):
    """What a person decided about a test or a suspected defect (``kind``) of a run; ``subject`` is its id."""

    __tablename__ = "decisions"

    run: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    decision: Mapped[str]
    note: Mapped[str]
    decided_at: Mapped[str]


class StepRow(Base):
    """A step that was recorded: the digest of its result, and which of the run's entries it made."""

    __tablename__ = "steps"

    run: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[str]
    first_seq: Mapped[int]
    events: Mapped[int]
    recorded_at: Mapped[str]


class EntryRow(Base):
    """A leaf of the log. ``index`` counts over the whole log, ``seq`` within the run, both from 0."""

    __tablename__ = "entries"

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[str]
    seq: Mapped[int]
    step: Mapped[str]
    type: Mapped[str]
    leaf: Mapped[bytes]
    leaf_hash: Mapped[bytes]


class SaltRow(Base):
    """What opens one commitment: the entry, the key in its data, the salt, and the artefact it commits to."""

    __tablename__ = "salts"

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    sha256: Mapped[str]
    bytes: Mapped[int]


class CheckpointRow(Base):
    """A signed checkpoint; one per size, because a second one could only say the same."""

    __tablename__ = "checkpoints"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[str]
    note: Mapped[str]
    verifier_key: Mapped[str]
    protection: Mapped[str]
    signed_at: Mapped[str]


class AttestationRow(Base):
    """The attestations of a closed run, signed once: DSSE envelopes, one a line, over the checkpoint of ``size``."""

    __tablename__ = "attestations"

    run: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    envelopes: Mapped[bytes]


class TileRow(Base):
    """256 leaf hashes of the log, from leaf ``number * 256``, one after the other. They follow from the entries: a missing or
    a wrong one is made anew."""

    __tablename__ = "tiles"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]


class AnchorRow(Base):
    """What somebody else is asked to confirm about the checkpoint of ``size``: a time stamp (``name`` is empty) or the cosignature
    of a witness (``name`` is its verifier key). ``content`` is what came, once it is ``held``: a TimeStampResp, or lines of
    signatures; ``by`` and ``made_at`` are what it says. ``next_at`` is the next try in seconds since 1970."""

    __tablename__ = "anchors"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="waiting")
    content: Mapped[bytes] = mapped_column(default=b"")
    by: Mapped[str] = mapped_column(default="")
    made_at: Mapped[str] = mapped_column(default="")
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[int] = mapped_column(default=0)
    sentence: Mapped[str] = mapped_column(default="")


class SigningKeyRow(Base):
    """A key that signs the log, or did; follows from the log's own records of changes. ``size`` is that of the log at the change."""

    __tablename__ = "signing_keys"

    verifier_key: Mapped[str] = mapped_column(primary_key=True)
    protection: Mapped[str]
    state: Mapped[str]
    changed_at: Mapped[str]
    size: Mapped[int]
    reason: Mapped[str] = mapped_column(default="")


class SubtreeRow(Base):
    """Hash of the perfect subtree over ``256**level`` leaves of the log from ``number * 256**level``. It follows from the
    leaves: a missing or a wrong one is computed anew."""

    __tablename__ = "subtrees"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class LogRow(Base):
    """State of the log: its name, its size, and the right edge of its tree (hashes of the perfect subtrees, largest first)."""

    __tablename__ = "log"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin: Mapped[str]
    size: Mapped[int]
    edge: Mapped[bytes]


class ModelCallRow(Base):
    """A call to a model. Money in millionths of a US dollar; ``state`` is a ``CallState`` value; ``holder`` the process that
    sent it (``storage.holders``)."""

    __tablename__ = "model_calls"

    call: Mapped[int] = mapped_column(primary_key=True, init=False)
    run: Mapped[str]
    source: Mapped[str]
    request: Mapped[str]
    purpose: Mapped[str]
    deployment: Mapped[str]
    provider: Mapped[str]
    model: Mapped[str]
    sent_at: Mapped[str]
    holder: Mapped[str]
    state: Mapped[str]
    estimate_microusd: Mapped[int]
    cost_microusd: Mapped[int] = mapped_column(default=0)
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    duration_ms: Mapped[int] = mapped_column(default=0)
    sentence: Mapped[str] = mapped_column(default="")
    cached_tokens: Mapped[int] = mapped_column(default=0)


class ModelQueueRow(Base):
    """The queue of one end point, in microseconds since 1970: when its next place is free, and the last time it was looked at."""

    __tablename__ = "model_queues"

    deployment: Mapped[str] = mapped_column(primary_key=True)
    free_at_us: Mapped[int]
    seen_at_us: Mapped[int]


class ModelTicketRow(Base):
    """A call that is going on, and the process that holds its place."""

    __tablename__ = "model_tickets"

    ticket: Mapped[str] = mapped_column(primary_key=True)
    deployment: Mapped[str]
    holder: Mapped[str]


class ModelAnswerRow(Base):
    """An answer that is kept, compressed. ``made_at`` in seconds since 1970; ``used`` grows with every use."""

    __tablename__ = "model_answers"

    key: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[bytes]
    bytes: Mapped[int]
    made_at: Mapped[int]
    used: Mapped[int]
