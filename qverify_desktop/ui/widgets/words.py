"""How things are told in every page: times, amounts, shares, and the shape, colour and word of each status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from qverify_desktop.domain.trend import thousandths
from qverify_desktop.domain.views import MeasureView, RunView
from qverify_desktop.ui.language import later, tr, trn

MINUS = "−"


@dataclass(frozen=True)
class Look:
    """A status: its shape, its colour token and its word (an English catalogue text; ``text()`` is translated)."""

    icon: str
    token: str
    word: str

    @property
    def tone(self) -> str:
        """The tone of a badge or label that says it."""
        return _TONE_OF.get(self.token, "")

    def text(self) -> str:
        return tr(self.word) if self.word else ""


_TONE_OF = {name: name for name in ("success", "warning", "danger", "info")} | {"accent-text": "accent"}
UNKNOWN = Look("circle-info", "text-muted", "")

RUN_STATUS: Mapping[str, Look] = {
    "queued": Look("ring-dashed", "text-muted", later("Queued")),
    "running": Look("ring-arc", "accent-text", later("Running")),
    "paused": Look("pause", "warning", later("Paused")),
    "interrupted": Look("triangle-alert", "warning", later("Interrupted")),
    "cancelled": Look("square-stop", "warning", later("Cancelled")),
    "finished": Look("circle-check", "success", later("Finished")),
    "failed": Look("square-x", "danger", later("Failed")),
}
VERDICT: Mapping[str, Look] = {
    "nothing_suspected": Look("circle-check", "success", later("Nothing suspected")),
    "defects_suspected": Look("diamond-alert", "danger", later("Defects suspected")),
    "inconclusive": Look("triangle-alert", "warning", later("Inconclusive")),
}
TEST: Mapping[str, Look] = {
    "accepted": Look("circle-check", "success", later("kept")),
    "refused": Look("circle-slash", "text-muted", later("refused")),
    "suspected": Look("diamond-alert", "danger", later("suspected defect")),
    "flaky": Look("wave", "warning", later("flaky")),
}
LABEL: Mapping[str, Look] = {
    "specification": Look("quote", "success", later("specification")),
    "characterization": Look("eye", "text-muted", later("characterization")),
}
DECISION: Mapping[str, Look] = {
    "": Look("diamond-alert", "danger", later("Not judged yet")),
    "confirmed": Look("check", "danger", later("Confirmed")),
    "dismissed": Look("x", "text-muted", later("Dismissed")),
}
GRADE: Mapping[str, Look] = {
    "invalid": Look("octagon-x", "invalid", later("Invalid")),
    "diverged": Look("fork", "diverged", later("Diverged")),
    "unanchored": Look("shield-hollow", "unanchored", later("Unanchored")),
    "timestamped": Look("shield-clock", "timestamped", later("Timestamped")),
    "witnessed": Look("shield-check", "witnessed", later("Witnessed")),
}
MUTANT: Mapping[str, Look] = {
    "killed": Look("hexagon-x", "killed", later("killed")),
    "survived": Look("hexagon-dot", "survived", later("survived")),
    "timed_out": Look("hexagon-x", "killed", later("killed by the time limit")),
    "invalid": Look("circle-slash", "text-muted", later("not a program")),
    "not_run": Look("ring-dashed", "text-muted", later("not run")),
}
COVERAGE: Mapping[str, Look] = {
    "covered": Look("bar-solid", "covered", later("covered")),
    "partial": Look("bar-half", "partial", later("partial")),
    "missed": Look("bar-hollow", "missed", later("missed")),
}
CHECK: Mapping[str, Look] = {
    "ok": Look("circle-check", "success", later("Ready")),
    "warning": Look("triangle-alert", "warning", later("Limited")),
    "blocking": Look("square-x", "danger", later("Missing")),
}


def look_of_run(run: RunView) -> Look:
    """A finished run shows its verdict, any other its status."""
    if run["status"] == "finished" and run["verdict"]:
        return VERDICT.get(run["verdict"], UNKNOWN)
    return RUN_STATUS.get(run["status"], UNKNOWN)


def look_of_test(verdict: str, decided: str = "", reason: str = "") -> Look:
    """A person's decision goes before the judge's; refused because flaky has its own shape."""
    if decided:
        return TEST.get(decided, UNKNOWN)
    if verdict == "refused" and reason == "flaky":
        return TEST["flaky"]
    return TEST.get(verdict, UNKNOWN)


# Times


def _moment(iso: str, zone: tzinfo | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)


_MONTHS = tuple(
    later(name) for name in ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
)
_DAYS = tuple(later(name) for name in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))


def ago(iso: str, now: datetime | None = None) -> str:
    """ "just now", "5 min ago", "3 h ago", then as ``day``. Empty for no time."""
    moment = _moment(iso, None)
    if moment is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 60:
        return tr("just now")
    if seconds < 3600:
        return tr("{n} min ago", n=int(seconds // 60))
    if seconds < 6 * 3600:
        return tr("{n} h ago", n=int(seconds // 3600))
    return day(iso, now)


def day(iso: str, now: datetime | None = None, zone: tzinfo | None = None) -> str:
    """ "today 10:42", "yesterday", "Mon", "12 Nov", "12 Nov 2024", in the time zone of this machine. Empty for no time."""
    moment = _moment(iso, zone)
    if moment is None:
        return ""
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    days = (today - moment.date()).days
    if days == 0:
        return tr("today {time}", time=f"{moment:%H:%M}")
    if days == 1:
        return tr("yesterday")
    if 1 < days < 7:
        return tr(_DAYS[moment.weekday()])
    date = f"{moment.day} {tr(_MONTHS[moment.month - 1])}"
    return date if moment.year == today.year else f"{date} {moment.year}"


def moment(iso: str, zone: tzinfo | None = None) -> str:
    """The whole time for a tooltip: "12 Nov 2025, 10:42:09 UTC+01:00". Empty for no time."""
    at = _moment(iso, zone)
    return f"{at.day} {tr(_MONTHS[at.month - 1])} {at.year}, {at:%H:%M:%S %Z}" if at else ""


def when(iso: str) -> str:
    """Day and time, so that two runs of one day differ: "12 Nov, 10:42". Empty for no time."""
    on, at = day(iso), clock(iso)[:5]
    return on if not at or at in on else f"{on}, {at}"


def clock(iso: str, zone: tzinfo | None = None) -> str:
    """ "10:42:27". Empty for no time."""
    at = _moment(iso, zone)
    return f"{at:%H:%M:%S}" if at else ""


def elapsed(ms: int) -> str:
    """A time that counts: "0:09", "6:18", "1:02:33"."""
    seconds = max(0, ms) // 1000
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def duration(ms: int) -> str:
    """A time that is over: "90 ms", "1.6 s", "11 min 42 s", "2 h 5 min"."""
    ms = max(0, ms)
    if ms < 1000:
        return tr("{n} ms", n=ms)
    if ms < 59_950:
        return tr("{n} s", n=f"{ms / 1000:.1f}" if ms < 9_950 else f"{ms / 1000:.0f}")
    seconds = round(ms / 1000)
    if seconds < 3600:
        return tr("{m} min {s} s", m=seconds // 60, s=seconds % 60)
    return tr("{h} h {m} min", h=seconds // 3600, m=seconds % 3600 // 60)


# Amounts


def count(n: int) -> str:
    """ "12,904"."""
    return f"{n:,}"


def share(value: int | None) -> str:
    """Thousandths as "88.6 %", "unknown" for ``None``."""
    return tr("unknown") if value is None else f"{value / 10:.1f} %"


def percent(part: int, whole: int) -> str:
    """ "88.6 %", "unknown" where the whole is empty. Never "100.0 %" of less than all."""
    return share(thousandths(part, whole))


def change(before: int | None, after: int | None) -> str:
    """Points between two shares in thousandths: "+26.8", "−0.3", "0.0"; empty when one is unknown."""
    if before is None or after is None:
        return ""
    points = after - before
    return f"{'+' if points > 0 else MINUS if points < 0 else ''}{abs(points) / 10:.1f}"


def signed(n: int) -> str:
    """ "+326", "−3", "0"."""
    return f"{'+' if n > 0 else MINUS if n < 0 else ''}{abs(n):,}"


def change_token(before: int | None, after: int | None) -> str:
    """The colour of a change: green for more, muted for none or less (less is no failure by itself)."""
    return "success" if before is not None and after is not None and after > before else "text-muted"


def before_of(measure: MeasureView) -> int | None:
    return thousandths(measure["before_part"], measure["before_whole"])


def after_of(measure: MeasureView) -> int | None:
    return thousandths(measure["after_part"], measure["after_whole"])


def money(microusd: int) -> str:
    """ "free", "$0.31", "$0.0077", "$1,204.50", from millionths of a US dollar."""
    if microusd == 0:
        return tr("free")
    dollars = microusd / 1_000_000
    if abs(dollars) >= 0.095:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if abs(microusd) >= 50 else tr("under $0.0001")


def bytes_(n: int) -> str:
    """ "912 B", "4.2 KiB", "9.8 GiB"."""
    value = float(n)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def decimal_bytes(n: int) -> str:
    """ "912 B", "4.7 GB": sizes of models and memory, in the units that model servers and libraries use."""
    value = float(n)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def large(n: int) -> str:
    """ "604", "12.3 k", "9.84 M"."""
    if n < 10_000:
        return f"{n:,}"
    return f"{n / 1000:.1f} k" if n < 1_000_000 else f"{n / 1_000_000:.2f} M"


def short_hash(value: str, length: int = 8) -> str:
    """The beginning of a hash, without the name of its function ("sha256:91d0…" gives "91d0…")."""
    return value.rsplit(":", 1)[-1][:length]


def grouped_hash(value: str, length: int = 20) -> str:
    """The beginning of a hash in groups of four, to be compared by eye."""
    shown = value.rsplit(":", 1)[-1][:length]
    return " ".join(shown[at : at + 4] for at in range(0, len(shown), 4))


def kept(n: int) -> str:
    return trn("{n} test kept", "{n} tests kept", n)


def defects(n: int) -> str:
    return trn("{n} suspected defect", "{n} suspected defects", n)
