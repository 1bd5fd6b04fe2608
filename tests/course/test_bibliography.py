"""Every work that is cited stands in docs/bibliography.md, whole; a citation is a [Key], or a name with a year."""

import functools
import re
import unicodedata
from pathlib import Path

import nbformat
import pytest

import recsys_tutorial as rt

ROOT = Path(__file__).resolve().parents[2]
BIBLIOGRAPHY = (ROOT / "docs" / "bibliography.md").read_text(encoding="utf-8")
ENTRY = re.compile(
    r"^- \*\*\[(?P<key>\w+)\]\*\* (?P<authors>[^(]+) \((?P<year>\d{4})\)\. \*(?P<title>[^*]+)\*(?P<where>.*)$"
)
PLACE = re.compile(r"doi:10\.\d{4,}/\S+|arXiv:\d{4}\.\d{4,5}|https://\S+|pages \d+-\d+")
KEY = re.compile(r"\[([A-Z]\w*[a-z]\w*(?:19|20)\d\d)\]")
SURNAME = r"[A-ZÀ-Þ][\w'’-]+"
NAMED = re.compile(rf"({SURNAME})(?: et al\.)?[,;]? \(?((?:19|20)\d\d)\b")  # Steck (2019), Xie et al. (2022), Till 2001
NO_AUTHORS = {"Blog", "Catalogue", "HetRec", "In", "March", "September"}  # what else stands before a year


def plain(name: str) -> str:
    """Return a name without accents."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def entries(text: str) -> dict[str, re.Match]:
    """Return the entries by key."""
    return {found["key"]: found for line in text.splitlines() if (found := ENTRY.match(line))}


def faults(text: str) -> list[str]:
    """Return what is wrong with a bibliography."""
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    found = [f"not authors (year). *title*: {line[:60]}" for line in lines if not ENTRY.match(line)]
    keys = [match["key"] for line in lines if (match := ENTRY.match(line))]
    found += [f"twice: {key}" for key in sorted({key for key in keys if keys.count(key) > 1})]
    for key, entry in entries(text).items():
        first = plain(entry["authors"].split(",")[0]).replace(" ", "")
        if not PLACE.search(entry["where"]):
            found.append(f"{key}: no doi, arXiv, address or pages")
        if not re.fullmatch(rf".*{re.escape(key[:-4])}{entry['year']}", f"{first}{key[-4:]}"):
            found.append(f"{key}: not the first author and the year")
    return found


@functools.cache
def films() -> set[tuple[str, str]]:
    """Return the last word and the year of every film: "Pulp Fiction (1994)" cites nobody."""
    titles = rt.load_dataset("movielens-small").titles
    return {found for title in titles for found in re.findall(r"([\w'’-]+)\W* \((\d{4})\)$", title)} | {("The", "1994")}


def cited(text: str) -> set[tuple[str, str]]:
    """Return (surname or key without year, year) of everything that a text cites."""
    keys = {(key[:-4], key[-4:]) for key in KEY.findall(text)}
    named = {(name, year) for name, year in NAMED.findall(text) if name not in NO_AUTHORS}
    return keys | (named - films())


def missing(text: str) -> list[str]:
    """Return what a text cites and the bibliography lacks."""
    known = entries(BIBLIOGRAPHY)
    named = {
        (plain(name), entry["year"]) for entry in known.values() for name in re.findall(r"[\w'’-]+", entry["authors"])
    }
    return sorted(
        f"{name} {year}"
        for name, year in cited(text)
        if f"{name}{year}" not in known and (plain(name), year) not in named
    )


def texts() -> dict[str, str]:
    """Return everything that may cite: modules, pages, and the Markdown cells of notebooks."""
    pages = (*ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.md"), ROOT / "README.md")
    paths = [*pages, *ROOT.glob("recsys_tutorial/**/*.py")]
    found = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    for path in ROOT.glob("notebooks/[0-9]*.ipynb"):
        cells = nbformat.read(path, 4).cells
        found[path.name] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return found


def test_every_entry_is_whole():
    assert len(entries(BIBLIOGRAPHY)) > 40
    assert faults(BIBLIOGRAPHY) == []


def test_every_citation_has_an_entry():
    assert {where: found for where, text in texts().items() if (found := missing(text))} == {}


def test_no_entry_is_idle_but_those_of_reading_on():
    everything = "\n".join(text for where, text in texts().items() if where != "docs/bibliography.md")
    used = {(plain(name), year) for name, year in cited(everything)}
    links = set(re.findall(r"(?:arxiv\.org/abs/|doi\.org/|medium\.com/)([^\s)\"]+)", everything))
    for key, entry in entries(BIBLIOGRAPHY).items():
        names = {plain(name) for name in re.findall(r"[\w'’-]+", entry["authors"])} | {key[:-4]}
        linked = any(link.rstrip(").") in entry["where"] for link in links)
        assert linked or any((name, entry["year"]) in used for name in names), f"{key} is cited nowhere"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("**[Doe2020]** Jane Doe (2020). *On Things*. A journal.", "Doe2020: no doi, arXiv, address or pages"),
        ("**[Doe2020]** Jane Roe (2020). *On Things*. arXiv:2001.00001", "Doe2020: not the first author and the year"),
        ("**[Doe2021]** Jane Doe (2020). *On Things*. arXiv:2001.00001", "Doe2021: not the first author and the year"),
        ("**[Doe2020]** Jane Doe. *On Things*", "not authors (year). *title*: - **[Doe2020]** Jane Doe. *On Things*"),
        ("**[Steck2019]** Harald Steck (2019). *Again*. arXiv:1905.03375", "twice: Steck2019"),
    ],
)
def test_a_broken_entry_is_found_out(line, fault):
    assert fault in faults(f"{BIBLIOGRAPHY}\n- {line}")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("as in [Nobody2020]", ["Nobody 2020"]),
        ("Source: Nobody and Someone (2011), On Things.", ["Someone 2011"]),
        ("(Nobody et al. 2011)", ["Nobody 2011"]),
        ("Pulp Fiction (1994), Lion King, The (1994) and Nobody (1994)", ["Nobody 1994"]),
        ("[Steck (2019)](https://arxiv.org/abs/1905.03375) and [Steck2019]; Järvelin and Kekäläinen (2002)", []),
    ],
)
def test_a_citation_without_an_entry_is_found_out(text, what):
    assert missing(text) == what
