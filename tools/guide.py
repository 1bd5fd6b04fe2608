"""Add up the agendas of notebooks/README.md: minutes as measured, and minutes of talking as stated.

python tools/guide.py    fills in the columns "run" and "until" again, after notebooks were measured
"""

from __future__ import annotations

import json
import re
from math import ceil
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
GUIDE = NOTEBOOKS / "README.md"
AGENDA = re.compile(r"(?<=<!-- agenda: )(?P<minutes>\d+)( -->\n)(?P<table>.*?)(?=<!-- /agenda -->)", re.DOTALL)


def seconds(name: str) -> float:
    """Return how long a notebook was measured to run."""
    return json.loads((NOTEBOOKS / "measured.json").read_text(encoding="utf-8"))[name]["seconds"]


def run_minutes(what: str) -> int:
    """Return the minutes that the notebooks named in a row take, each rounded up; "stored" ones are not run."""
    return 0 if "stored" in what else sum(ceil(seconds(name) / 60) for name in re.findall(r"\]\((\w+)\.ipynb\)", what))


def rows(table: str) -> list[list[str]]:
    """Return the cells of each row: what, run, talk, until."""
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()[2:]]


def filled(guide: str) -> str:
    """Return the guide with its minutes added up."""

    def fill(found: re.Match) -> str:
        lines, until = found["table"].splitlines()[:2], 0
        for what, _, talk, _ in rows(found["table"]):
            run = run_minutes(what)
            until += run + int(talk)
            lines.append(f"| {what} | {run or ''} | {talk} | {until // 60}:{until % 60:02d} |")
        return f"{found['minutes']}{found[2]}" + "\n".join(lines) + "\n"

    return AGENDA.sub(fill, guide)


if __name__ == "__main__":
    GUIDE.write_text(filled(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
