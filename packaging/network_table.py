"""Write the table of connections (``qverify_desktop/domain/connections.py``) into ``docs/network.md``, or say that it differs.

usage: packaging/network_table.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from qverify_desktop.domain.connections import TABLE, Closed, Connection  # noqa: E402

PAGE = ROOT / "docs/network.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
_HEAD = "| for | who connects | to | when | what goes over it | switch | behind the air gap |\n|---|---|---|---|---|---|---|\n"
_CLOSED = {
    Closed.STAYS: "as before: it stays on this machine",
    Closed.ALLOWED: "only addresses of `air_gap_allow`",
    Closed.NEVER: "never",
}


def table() -> str:
    """The table in Markdown."""
    return _HEAD + "".join(_line(row) for row in TABLE)


def _line(row: Connection) -> str:
    switch = f"`{row.switch}`" if row.switch else "none"
    cells = (row.title, row.who, row.where, row.when, row.sends, switch, _CLOSED[row.air_gap])
    return f"| {' | '.join(cells)} |\n"


def page(text: str) -> str:
    """The page with the table of now. Raises ``ValueError`` where it has no place for one."""
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{PAGE.name} has no place for the table")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Write the page; with ``--check`` 1 where it is out of date."""
    now = PAGE.read_text("utf-8")
    new = page(now)
    if "--check" in sys.argv[1:]:
        return int(now != new)
    PAGE.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
