"""Draw README's picture and fill in its numbers, and those of the demo, from stored results, never from memory.

python -m recsys_tutorial demo --json docs/demo.json    makes the results of the two cases
python -m recsys_tutorial study map ... --out docs/results/map.jsonl    makes the map (its first line holds the command)
python tools/readme_figure.py    draws docs/map.png and writes README's lines and the table of docs/commands.md
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

from recsys_tutorial import plots
from recsys_tutorial.studies.journal import read_journal
from recsys_tutorial.studies.map_findings import findings, law

ROOT = Path(__file__).resolve().parent.parent
DEMO, MAP = ROOT / "docs" / "demo.json", ROOT / "docs" / "results" / "map.jsonl"
PAGES = (ROOT / "README.md", ROOT / "docs" / "commands.md")
LINES = 26  # of the picture: every cell would be more than a page shows
SAID = {
    "target-behaviour": "What a user will like or buy, from what everybody watched or viewed",
    "new-shelf": "What a user wants of new items, from behaviour on others",
    "attribute": "Who a user is (age, gender), from behaviour",
}


def table(records: list[dict]) -> str:
    """Return the table of the two cases of the demo: means with intervals, and what the last model adds to each."""
    lines = ["| case | model | NDCG@20 | the last model minus it |", "| --- | --- | --- | --- |"]
    for task in dict.fromkeys(row["task"] for row in records if "task" in row):
        rows = [row for row in records if row.get("task") == task and "ci_low" in row]
        gains = {row["model"].partition(" minus ")[2]: row for row in rows if " minus " in row["model"]}
        for row in (row for row in rows if " minus " not in row["model"]):
            cell = "{value:.3f} [{ci_low:.3f}, {ci_high:.3f}]".format(**row)
            gain = gains.get(row["model"])
            added = "{value:+.3f} [{ci_low:+.3f}, {ci_high:+.3f}]".format(**gain) if gain else ""
            lines.append(f"| {task} | {row['model']} | {cell} | {added} |")
    return "\n".join(lines)


def lines(found: pd.DataFrame) -> str:
    """Return README's lines about the map: one a kind of label, and the law."""
    texts = []
    for task, what in SAID.items():
        cells = found[found["task"] == task]
        gains = cells[cells["metric"] == "gain_without_pretraining"]
        linear = cells[cells["metric"] == "gain_over_linear"]
        if len(gains):
            texts.append(
                f"- **{what}**: gains from {gains['relative'].min():+.0%} to {gains['relative'].max():+.0%}, shown to "
                f"be above 0 in {(gains['verdict'] == 'positive').sum()} of {len(gains)} cells; over the best linear "
                f"pretraining in {(linear['verdict'] == 'positive').sum()}, under it in "
                f"{(linear['verdict'] == 'negative').sum()}."
            )
    if (rho := law(found)) is not None:
        other = law(found, foreteller="strangers")
        texts.append(
            f"- **What foretells the gain**: the share of a user's events on items that no labelled user has. Over the "
            f"new-shelf cells its rank correlation with the relative gain is {rho:.2f}; that of the share of labelled "
            f"users who have nothing in common with the user, picked after looking, {other:.2f}."
        )
    return "\n".join(texts)


def between(page: str, name: str, text: str) -> str:
    """Return the page with ``text`` between the marks of that name."""
    marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page)


def drawn(page: str) -> str:
    """Return a page with the numbers of today's results, where it has marks for them."""
    found = findings(pd.DataFrame(read_journal(MAP)[1]))
    return between(between(page, "map", lines(found)), "demo", table(json.loads(DEMO.read_text(encoding="utf-8"))))


def main() -> None:
    """Draw and write."""
    found = findings(pd.DataFrame(read_journal(MAP)[1]))
    plots.forest(found, most=LINES).save(ROOT / "docs" / "map.png")
    for page in PAGES:
        page.write_text(drawn(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
