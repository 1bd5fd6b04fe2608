"""Check the built site: every link inside it leads somewhere, every picture says what it shows, nothing is fetched.

python tools/site_check.py [FOLDER]    1 and one line a fault; without FOLDER site/html
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "site" / "html"
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}  # by the page, unasked
SHORTEST = 3  # letters that an alternative text has at least


class Page(HTMLParser):
    """What one page links to, loads, and can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.silent: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Write down one element."""
        given = dict(attributes)
        self.anchors |= {given[key] or "" for key in ("id", "name") if key in given}
        if tag == "a" and given.get("href"):
            self.links.add(given["href"] or "")
        relation = given.get("rel") or "stylesheet"
        if tag in LOADED and given.get(LOADED[tag]) and relation in ("stylesheet", "preload", "shortcut icon", "icon"):
            self.loaded.add(given[LOADED[tag]] or "")
        if tag == "img" and len((given.get("alt") or "").strip()) < SHORTEST:
            self.silent.append((given.get("src") or "")[:80])
        hidden = given.get("aria-hidden") == "true" or given.get("role") == "presentation"
        if tag == "svg" and not hidden and not (given.get("aria-label") or given.get("aria-labelledby")):
            self.silent.append("svg")


def faults(folder: Path) -> list[str]:
    """Return what is wrong with the pages below ``folder``, one line each."""
    paths = [path.resolve() for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]  # of the theme
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in paths}
    found = [] if (folder / "index.html").exists() else ["no index.html"]
    for path, page in pages.items():
        name = path.relative_to(folder.resolve()).as_posix()
        found += [f"{name}: picture without alternative text: {source}" for source in page.silent]
        for link in sorted(page.links | page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    found.append(f"{name}: loads {link} from the network")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{name}: leads nowhere: {link}")
            elif parts.fragment and target in pages and not _has(pages[target], parts.fragment):
                found.append(f"{name}: no such place on the page: {link}")
    return found


def _has(page: Page, fragment: str) -> bool:
    """Return whether a page has the place that a link names."""
    return bool({fragment, unquote(fragment)} & page.anchors) or re.fullmatch("|top", fragment) is not None


if __name__ == "__main__":
    told = faults(Path(sys.argv[1]) if sys.argv[1:] else BUILT)
    print("\n".join(told) or "no fault")
    sys.exit(bool(told))
