"""Build the course as a site to read, offline: notebooks as stored, pages, the API, the commands.

python tools/site_build.py [--open]    writes site/html whole; or leaves the old one, says the faults and exits with 1

Every page is copied to where it stands in the repository, so that links between pages hold as they are; a link to a
file that is no page leads to the repository's address. A warning of Sphinx is a fault, and so is what
tools/site_check.py finds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
PATH = [str(ROOT), str(ROOT / "tools")]
sys.path[:0] = PATH

import site_check  # noqa: E402
import site_pages  # noqa: E402

SITE, CONF = ROOT / "site", ROOT / "docs" / "site"
INDEX = "README.md"  # is the start page
# In the order of the menu; a pattern takes the files that no other line names.
MENU = {
    "The course": ("notebooks/[0-9]*.ipynb", "notebooks/README.md"),
    "Use it": (
        "docs/your_own_data.md",
        "docs/commands.md",
        "docs/objectives.md",
        "docs/other_tools.md",
        "docs/cost.md",
        "docs/*.md",
    ),
    "Look it up": ("docs/glossary.md", "docs/bibliography.md"),
    "The project": ("docs/package.md", "docs/choices.md", "CONTRIBUTING.md", "CHANGELOG.md"),
}
NOT_PAGES = ("docs/README.md",)  # it says what is in the folder
GENERATED = {"Look it up": ("command_line", "api/index")}  # of the English edition


class Language(NamedTuple):
    """What an edition is called by Sphinx and by its readers, and the headings of its menu, in the order of MENU."""

    code: str
    name: str
    title: str
    headings: tuple[str, ...]


LANGUAGES = {  # a translation of folder/file is folder/NAME/file, of a file in the root docs/NAME/file
    "en": Language("en", "English", "Pretrained models for recommender systems", tuple(MENU)),
    "zh": Language("zh_CN", "中文", "推荐系统的预训练模型", ("课程", "使用", "查阅", "项目")),
}
LINK = re.compile(r"(?P<what>!?\[[^\]]*\]\()(?!\w+:)(?P<path>[^)\s#]*)(?P<anchor>#[^)\s]+)?\)")
FENCED = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)
SWITCH = re.compile(r"^\[(?:English|中文)\]\([^)]*\)\n+", re.MULTILINE)  # the site has its own
BADGE = re.compile(r"\[!(\[[^]]*\])\(https?:[^)]*\)\]")  # a picture that is loaded from elsewhere: its words do


def jupyter_slug(title: str) -> str:
    """Return the anchor that JupyterLab gives a heading, which is how the notebooks link to one another."""
    return title.replace(" ", "-")


def languages() -> list[str]:
    """Return the editions that there are: English, and each with notebooks of its own."""
    return ["en", *(name for name in LANGUAGES if any((ROOT / "notebooks" / name).glob("[0-9]*.ipynb")))]


def menu() -> dict[str, list[str]]:
    """Return the pages by heading of the menu, each as its path in the repository."""
    named = {path for patterns in MENU.values() for path in patterns if "*" not in path} | {*NOT_PAGES}
    found = {}
    for heading, patterns in MENU.items():
        found[heading] = []
        for pattern in patterns:
            paths = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))
            found[heading] += [path for path in paths if path == pattern or path not in named]
    return found


class Edition:
    """The pages in one language, and where each stands: in the repository, and in the folder that Sphinx reads."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.menu = {heading: [self.own(path) for path in paths] for heading, paths in menu().items()}
        self.pages = {path: path for paths in self.menu.values() for path in paths}
        self.pages[self.own(INDEX)] = "index.md"

    def own(self, path: str) -> str:
        """Return where this language has a page of the repository: its translation, else the page itself."""
        folder, _, name = path.rpartition("/")
        translated = f"{folder or 'docs'}/{self.language}/{name}"
        return translated if (ROOT / translated).exists() else path

    def place(self, path: str) -> str | None:
        """Return where Sphinx finds a page of the repository, None for a file that is no page."""
        return self.pages.get(self.own(path), self.pages.get(path))

    def address(self, path: str) -> str:
        """Return the address of a page from the top of the site."""
        place = os.path.splitext(self.place(path) or "")[0]
        return f"{'' if self.language == 'en' else self.language + '/'}{place}.html"


def github_anchors(text: str) -> dict[str, str]:
    """Return the anchors of a page as GitHub makes them, each with the one that the site has."""
    headings = re.findall(r"^#{1,6} (.+)$", FENCED.sub("", text), re.MULTILINE)
    plain = [re.sub(r"[`*]", "", heading).strip() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-"): jupyter_slug(one) for one in plain}


def plain(path: Path) -> str:
    """Return a page without what is only for readers of the repository."""
    return SWITCH.sub("", BADGE.sub(r"\1", path.read_text(encoding="utf-8")))


def relinked(text: str, path: str, edition: Edition) -> str:
    """Return Markdown with links that hold on the site.

    Args:
        text: of a page or of a cell.
        path: where it stands in the repository, which its links start from.
        edition: says which files are pages.
    """

    def one(found: re.Match[str]) -> str:
        where, anchor = unquote(found["path"]), found["anchor"] or ""
        target = os.path.normpath(os.path.join(os.path.dirname(path), where)) if where else path
        if anchor and target.endswith(".md") and (ROOT / target).exists():
            anchors = github_anchors((ROOT / target).read_text(encoding="utf-8"))
            anchor = "#" + anchors.get(anchor[1:], anchor[1:])
        if not where:
            return f"{found['what']}{anchor})"
        start = os.path.dirname(edition.place(path) or path) or "."
        if (place := edition.place(target)) is None:
            if not (ROOT / target).exists():
                return found[0]  # Sphinx complains of it
            if found["what"].startswith("!"):  # pictures are copied
                return f"{found['what']}{os.path.relpath(target, start)})"
            kind = "tree" if (ROOT / target).is_dir() else "blob"
            return f"{found['what']}{site_pages.ADDRESS}/{kind}/main/{target}{anchor})"
        return f"{found['what']}{os.path.relpath(place, start)}{anchor})"

    return "".join(part if part.startswith("```") else LINK.sub(one, part) for part in FENCED.split(text))


def notebook(path: str, edition: Edition) -> str:
    """Return a notebook as Sphinx wants it: links that hold, alternative texts where myst-nb looks for them."""
    stored = json.loads((ROOT / path).read_text(encoding="utf-8"))
    for cell in stored["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = relinked("".join(cell["source"]), path, edition)
        alts = [said["alt"] for output in cell.get("outputs", ()) for said in _pictures(output) if "alt" in said]
        if alts:
            cell["metadata"]["mystnb"] = {"image": {"alt": " ".join(alts)}}
    return json.dumps(stored, ensure_ascii=False)


def _pictures(output: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what an output says of each of its pictures."""
    return [said for kind, said in output.get("metadata", {}).items() if kind.startswith("image/")]


def toctrees(edition: Edition) -> str:
    """Return the menu in the words of Sphinx."""
    parts = []
    for (heading, paths), said in zip(edition.menu.items(), LANGUAGES[edition.language].headings, strict=True):
        lines = [os.path.splitext(edition.pages[path])[0] for path in paths]
        if edition.language == "en":
            lines += GENERATED.get(heading, ())
        parts.append("\n".join(["```{toctree}", ":hidden:", f":caption: {said}", "", *lines, "```"]))
    return "\n\n" + "\n\n".join(parts) + "\n"


def lay_out(edition: Edition, others: list[Edition], folder: Path) -> None:
    """Write all that Sphinx reads for one edition into ``folder``."""
    pages = {}
    for path, place in edition.pages.items():
        if path.endswith(".ipynb"):
            pages[place] = notebook(path, edition)
        else:
            pages[place] = relinked(plain(ROOT / path), path, edition)
    pages["index.md"] += toctrees(edition)
    if edition.language == "en":
        pages |= site_pages.generated()
    switch = {}
    for path in [INDEX, *(path for paths in menu().values() for path in paths)]:
        page = os.path.splitext(edition.place(path) or "")[0]
        switch[page] = {
            LANGUAGES[other.language].name: (other.language, other.address(path)) for other in others
        }
    pages["languages.json"] = json.dumps(switch)
    for place, text in pages.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    for picture in [*ROOT.glob("docs/*.png"), *ROOT.glob("docs/*.svg")]:
        shutil.copy(picture, folder / "docs" / picture.name)


def build(language: str, source: Path, out: Path) -> list[str]:
    """Let Sphinx make one edition; return its warnings."""
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going", "-c", str(CONF)]
    command += ["-d", str(source.with_name(f"{source.name}.doctrees")), "-D", f"language={LANGUAGES[language].code}"]
    command += ["-D", f"html_title={LANGUAGES[language].title}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(PATH), "NO_COLOR": "1"}
    done = subprocess.run([*command, str(source), str(out)], capture_output=True, text=True, env=environment)
    told = [line for line in done.stderr.splitlines() if line.strip()]
    return told or [f"Sphinx exited with {done.returncode}, and said nothing"] * bool(done.returncode)


def main(argv: list[str]) -> int:
    """Build every edition, check what was built, put it in the old one's place; return the exit code."""
    if argv not in ([], ["--open"]):
        print(__doc__)
        return 2
    began, work = time.monotonic(), SITE / "work"
    shutil.rmtree(work, ignore_errors=True)
    editions = [Edition(language) for language in languages()]
    for edition in editions:
        lay_out(edition, [other for other in editions if other is not edition], work / edition.language)
    with ThreadPoolExecutor() as pool:  # each waits for a process of its own
        outs = [work / "html" / ("" if edition.language == "en" else edition.language) for edition in editions]
        names = [edition.language for edition in editions]
        told = pool.map(build, names, [work / name for name in names], outs)
        faults = [fault for edition in told for fault in edition]
    faults += site_check.faults(work / "html")
    if faults:
        print("\n".join(faults), file=sys.stderr)
        print(f"tools/site_build.py: {len(faults)} faults, the site stays as it was", file=sys.stderr)
        return 1
    shutil.rmtree(SITE / "html", ignore_errors=True)
    (work / "html").rename(SITE / "html")
    shutil.rmtree(work)
    index = SITE / "html" / "index.html"
    print(f"{len(list((SITE / 'html').rglob('*.html')))} pages in {time.monotonic() - began:.0f} s: {index}")
    if argv:
        webbrowser.open(index.as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
