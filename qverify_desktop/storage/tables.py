"""Tables as mapped classes. Times are RFC 3339 UTC text, digests SHA-256 in lower-case hex or 32 raw bytes."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""


class RunRow(Base):
    """One run as a list shows it."""

    __tablename__ = "runs"

    run: Mapped[str] = mapped_column(Text, primary_key=True)
    request: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    started_at: Mapped[str] = mapped_column(Text, index=True)
    stage: Mapped[str] = mapped_column(Text, default="")
    sentence: Mapped[str] = mapped_column(Text, default="")
    verdict: Mapped[str] = mapped_column(Text, default="")
    accepted: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    suspected: Mapped[int] = mapped_column(default=0)


class StepRow(Base):
    """The result of a recorded step; written in the same transaction as its leaves."""

    __tablename__ = "steps"

    run: Mapped[str] = mapped_column(Text, primary_key=True)
    step: Mapped[str] = mapped_column(Text, primary_key=True)
    result: Mapped[str] = mapped_column(Text)


class LeafRow(Base):
    """One entry of the log. ``number`` is the leaf's index, ``entry`` its exact bytes."""

    __tablename__ = "leaves"
    __table_args__ = (UniqueConstraint("run", "sequence"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[str] = mapped_column(Text, index=True)
    sequence: Mapped[int]
    step: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary)


class SaltRow(Base):
    """What opens a commitment: its salt and the digest of the blob beside the log."""

    __tablename__ = "salts"

    number: Mapped[int] = mapped_column(ForeignKey("leaves.number"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(Text)


class CheckpointRow(Base):
    """A signed note over the first ``size`` leaves."""

    __tablename__ = "checkpoints"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run: Mapped[str] = mapped_column(Text, index=True)
    note: Mapped[str] = mapped_column(Text)
