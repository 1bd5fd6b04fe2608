"""Draw the house: every folder and core module with what it holds, from their own first lines.

python tools/house.py    writes the picture anew into CONTRIBUTING.md
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "recsys_tutorial"
PAGES = (ROOT / "CONTRIBUTING.md",)
PICTURE = re.compile(r"(<!-- house -->\n).*?(<!-- /house -->)", re.DOTALL)
# From the ground up, folders and the modules of the root alike. A floor may import those before it, and itself.
FLOORS = (
    "errors", "data", "system", "metrics", "engine", "encoders", "model", "dataset", "training", "objectives", "tasks",
    "baselines", "learning", "evaluation", "serving", "bridges", "studies", "teaching", "benchmark", "cli",
    "__main__",
)  # fmt: skip


def first_line(path: Path) -> str:
    """Return what a module or a folder says first of itself, without its full stop."""
    path = path / "__init__.py" if path.is_dir() else path
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.splitlines()[0].rstrip(".")


def picture() -> str:
    """Return the floors from the ground up, one line each, as a block of Markdown."""
    lines = []
    for floor in FLOORS:
        path = PACKAGE / floor if (PACKAGE / floor).is_dir() else PACKAGE / f"{floor}.py"
        name = f"{floor}/" if path.is_dir() else path.name
        lines.append(f"{name:<13} {first_line(path).replace('``', '')}")
    return "```text\n" + "\n".join(lines) + "\n```\n"


def drawn(page: str) -> str:
    """Return the page with the picture of today."""
    return PICTURE.sub(lambda found: found[1] + picture() + found[2], page)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(drawn(page.read_text(encoding="utf-8")), encoding="utf-8")
