"""Draw the house: every folder and core module with what it holds, from their own first lines.

python tools/house.py    writes the picture anew into CONTRIBUTING.md
"""

from __future__ import annotations

import re
from pathlib import Path

from recsys_tutorial.teaching.drawings.house import floors

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "CONTRIBUTING.md",)
PICTURE = re.compile(r"(<!-- house -->\n).*?(<!-- /house -->)", re.DOTALL)


def picture() -> str:
    """Return the floors from the ground up, one line each, as a block of Markdown."""
    lines = [f"{name:<13} {line}" for name, line in floors()]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def drawn(page: str) -> str:
    """Return the page with the picture of today."""
    return PICTURE.sub(lambda found: found[1] + picture() + found[2], page)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(drawn(page.read_text(encoding="utf-8")), encoding="utf-8")
