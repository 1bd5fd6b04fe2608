"""Draw README's picture and fill in its numbers from stored results, never from memory.

python -m recsys_tutorial demo --json docs/demo.json    makes the results
python tools/readme_figure.py                           draws docs/few_labels.png and writes README's table of them
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

from recsys_tutorial import plots

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "demo.json"
TABLE = re.compile(r"(<!-- demo -->\n).*?(<!-- /demo -->)", re.DOTALL)


def summary(records: list[dict]) -> pd.DataFrame:
    """Return the rows that are means over seeds."""
    return pd.DataFrame([row for row in records if "ci_low" in row and " minus " not in row["model"]])


def table(records: list[dict]) -> str:
    """Return README's table: means with intervals, and the paired differences below."""
    means = summary(records)
    labels = sorted(means["labels"].unique())
    columns = ["model", *(f"{n} labelled users" for n in labels)]
    lines = [f"| {' | '.join(columns)} |", "| --- " * len(columns) + "|"]
    gains = pd.DataFrame([row for row in records if " minus " in row["model"]])
    for rows, digits in ((means, "{:.3f} [{:.3f}, {:.3f}]"), (gains, "{:+.3f} [{:+.3f}, {:+.3f}]")):
        for model, group in rows.groupby("model", sort=False):
            cells = group.sort_values("labels")[["value", "ci_low", "ci_high"]].to_numpy()
            lines.append(f"| {model} | " + " | ".join(digits.format(*cell) for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Draw and write."""
    records = json.loads(RESULTS.read_text())
    plots.label_efficiency(summary(records)).save(ROOT / "docs" / "few_labels.png")
    readme = ROOT / "README.md"
    readme.write_text(TABLE.sub(lambda found: f"{found[1]}{table(records)}\n{found[2]}", readme.read_text()))


if __name__ == "__main__":
    main()
