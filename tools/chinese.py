"""Render the Chinese edition: the text of notebooks/zh/NN.md, with code and outputs of the English notebooks.

python tools/chinese.py                      render every notebook of which there is a translation
python tools/chinese.py --stale              list the cells whose English has changed since; 1 if there are any
python tools/chinese.py --refresh NAME ...   bring translations in step: cells that moved get their new ids, new ones
                                             stand there in English, marked `new`, and cells that are gone go
python tools/chinese.py --checked NAME [ID ...]  say that translations (all, or those of some cells) fit the English

NAME is a notebook's number (05) or the path of a translated page (docs/zh/README.md), whose cells are its sections. A
translated cell begins with ``<!-- ID HASH -->``, the hash being of the English cell. What tools write into the English
is left out of it, and made anew here: the line ``**Takes**``, and the table between ``<!-- notebooks -->`` marks.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = {  # translation -> page
    "docs/zh/README.md": "README.md",
    "notebooks/zh/README.md": "notebooks/README.md",
}
NEW = "new"  # in place of a hash: not translated yet
MARK = re.compile(r"^<!-- ((?:cell-\d+[a-z]*|section-\d+)) ([0-9a-f]{12}|new) -->\n", re.MULTILINE)
TAKES = re.compile(r"^\*\*Takes\*\* (?P<time>[\d.]+) (?P<unit>seconds|minutes) and (?P<mb>\d+) MB .*$", re.MULTILINE)
TABLE = re.compile(r"(?<=<!-- notebooks -->\n).*?(?=<!-- /notebooks -->)", re.DOTALL)
ROW = re.compile(r"^\| (\[`(\w+)`\]\([^)]*\)) \| .* \| ([\d.]+) (seconds|minutes) \| (\d+ MB) \|$", re.MULTILINE)
UNITS = {"seconds": "秒", "minutes": "分钟"}
HEAD = "| 笔记本 | 回答的问题 | 时间 | 内存 |\n| --- | --- | --- | --- |\n"
LINK = re.compile(r"(\]\()(?!\w+:|#)([^)\s]+\))")
STALE = '<span style="color: #767676">这一格的英文原文已经改动，译文有待更新；下面是英文原文。</span>'


class Cell(NamedTuple):
    """A text cell: its id, the hash of its English, and its text."""

    id: str
    hash: str
    text: str


def hash_of(english: str) -> str:
    """Return twelve digits that change when what people wrote in an English cell does."""
    text = TABLE.sub("", TAKES.sub("**Takes**", english)).strip()
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def english(path: Path) -> list[Cell]:
    """Return the text cells of a notebook, or the sections of a page."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"}
    else:
        parts = re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        texts = {f"section-{number:02d}": part.strip() for number, part in enumerate(parts)}
    return [Cell(id, hash_of(text), text) for id, text in texts.items()]


def translated(path: Path) -> list[Cell]:
    """Return the cells of a translation; none where it has not been begun."""
    parts = MARK.split(path.read_text(encoding="utf-8"))[1:] if path.exists() else []
    return [Cell(id, hash, text.strip()) for id, hash, text in zip(*[iter(parts)] * 3, strict=True)]


def write(path: Path, cells: list[Cell]) -> None:
    """Write a translation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(f"<!-- {cell.id} {cell.hash} -->\n{cell.text}" for cell in cells)
    path.write_text(text + "\n", encoding="utf-8")


def pair(name: str) -> tuple[Path, Path]:
    """Return the English file that a NAME stands for, and the file of its translation."""
    if name in PAGES:
        return ROOT / PAGES[name], ROOT / name
    found = sorted((ROOT / "notebooks").glob(f"{name}_*.ipynb"))
    if len(found) != 1:
        raise SystemExit(f"tools/chinese.py: {name!r} is neither a notebook's number nor one of {', '.join(PAGES)}")
    return found[0], ROOT / "notebooks" / "zh" / f"{name}.md"


def names() -> list[str]:
    """Return the NAME of every notebook and page that there is in English."""
    return [path.name[:2] for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))] + [*PAGES]


def stale(name: str) -> list[str]:
    """Return the ids of the English cells without a translation that fits them."""
    source, translation = pair(name)
    known = {cell.hash for cell in translated(translation)}
    return [cell.id for cell in english(source) if cell.hash not in known]


def question(stem: str) -> str:
    """Return the question of a notebook as its translation has it."""
    first = translated(ROOT / "notebooks" / "zh" / f"{stem[:2]}.md")[:1]
    found = re.search(r"^\*\*问题。\*\* (.+)$", first[0].text, re.MULTILINE) if first else None
    return found[1] if found else ""


def filled(text: str, source: str) -> str:
    """Return a translated cell with what tools measured and wrote into the English one, ``source``."""
    if takes := TAKES.search(source):
        line = f"**用时** {takes['time']} {UNITS[takes['unit']]}，占用 {takes['mb']} MB 内存（2 核，实测）。"
        text = re.sub(r"^\*\*用时\*\*.*$", line, text, flags=re.MULTILINE)
    rows = (f"| {link} | {question(stem)} | {time} {UNITS[unit]} | {mb} |\n" for link, stem, time, unit, mb in
            ROW.findall("".join(TABLE.findall(source))))  # fmt: skip
    return TABLE.sub(lambda _: HEAD + "".join(rows), text)


def rendered(notebook: dict[str, Any], cells: list[Cell]) -> dict[str, Any]:
    """Return a notebook with its text cells translated; a stale one stays English, under one grey line."""
    known = {cell.hash: cell.text for cell in cells}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            if (text := known.get(hash_of(source))) is None:
                text = STALE + "\n\n" + LINK.sub(r"\1../\2", source)  # it stands a folder deeper now
            cell["source"] = filled(text, source).splitlines(keepends=True)
    return notebook


def render(name: str) -> tuple[Path, str]:
    """Return where a rendered notebook, or a page, belongs, and its text."""
    source, translation = pair(name)
    if name in PAGES:
        text, cells = translation.read_text(encoding="utf-8"), source.read_text(encoding="utf-8")
        return translation, filled(text, cells.replace("](notebooks/", "](../../notebooks/zh/"))
    notebook = json.loads(source.read_text(encoding="utf-8"))
    out = rendered(notebook, translated(translation))
    return translation.with_name(source.name), json.dumps(out, ensure_ascii=False, indent=1) + "\n"


def refresh(name: str) -> None:
    """Bring a translation in step with the English, cell by cell."""
    source, translation = pair(name)
    by_hash, by_id = ({getattr(cell, key): cell for cell in translated(translation)} for key in ("hash", "id"))
    hashes, cells = {cell.hash for cell in english(source)}, []
    for cell in english(source):
        old = by_hash.get(cell.hash)
        if old is None and (old := by_id.get(cell.id)) and old.hash in hashes:
            old = None  # it has moved
        cells.append(old._replace(id=cell.id) if old else cell._replace(hash=NEW))
    write(translation, cells)


def check(name: str, ids: list[str]) -> None:
    """Write the hashes of the English next to the translations of these cells, or of all."""
    source, translation = pair(name)
    now = {cell.id: cell.hash for cell in english(source)}
    write(translation, [cell._replace(hash=now[cell.id]) if not ids or cell.id in ids else cell
                        for cell in translated(translation)])  # fmt: skip


def main(argv: list[str]) -> int:
    """Do what is asked; return the exit code."""
    what, given = (argv[0], argv[1:]) if argv[:1] and argv[0].startswith("--") else ("", argv)
    if what == "--stale" and not given:
        found = {name: ids for name in names() if (ids := stale(name))}
        print("\n".join(f"{name}: {' '.join(ids)}" for name, ids in found.items()) or "no stale cell")
        return int(bool(found))
    if what == "--refresh" and given:
        for name in given:
            refresh(name)
        return 0
    if what == "--checked" and given:
        check(given[0], given[1:])
        return 0
    if argv:
        print(__doc__)
        return 2
    for path, text in [render(name) for name in names() if pair(name)[1].exists()]:
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
