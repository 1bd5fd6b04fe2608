"""A drawing of the package's floors, from the first line that each folder and core module says of itself."""

from __future__ import annotations

import ast
from pathlib import Path

from ..plots.base import Plot
from .base import SHOWN, STAYS, Sheet, wrapped

PACKAGE = Path(__file__).resolve().parents[2]
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


def floors() -> list[tuple[str, str]]:
    """Return each floor's name, a folder's with a stroke, and its first line, from the ground up."""
    found = []
    for floor in FLOORS:
        path = PACKAGE / floor if (PACKAGE / floor).is_dir() else PACKAGE / f"{floor}.py"
        found.append((f"{floor}/" if path.is_dir() else path.name, first_line(path).replace("``", "")))
    return found


def house() -> Plot:
    """Draw the floors of the package, the ground at the bottom: a floor imports only from those below it."""
    rows = [(name, wrapped(line, 96)) for name, line in floors()]
    heights = [0.24 if "\n" not in line else 0.36 for _, line in rows]
    sheet = Sheet("The house: a floor imports only from the floors below it", 7.2, sum(heights) + 0.62)
    y = 0.12
    for (name, line), height in zip(rows, heights, strict=True):
        sheet.box(0.12, y, 1.15, height - 0.03, name, SHOWN if name.endswith("/") else STAYS, size=8, round_=False)
        sheet.write(1.37, y + height / 2 - 0.015, line, size=7.5, left=True)
        y += height
    sheet.key(4.9, sheet.height - 0.22, {"folder": SHOWN, "module": STAYS})
    told = ", ".join(name for name, _ in rows)
    return sheet.plot(f"{len(rows)} floors of the package, from the ground up: {told}.")
