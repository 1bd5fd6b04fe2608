"""The repository's address is the one of pyproject.toml wherever people read it: pages, badge, citation, notebooks."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
OWNER, NAME = ADDRESS.removeprefix("https://github.com/").split("/")
PATTERNS = ("*.md", "*.cff", "*.yml", "docs/*.md", "notebooks/*.md", "notebooks/*.ipynb")
PAGES = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))
# Services that open a repository name it by its owner and its name alone.
PLACE = re.compile(
    r"(?:github\.com[/:]|/gh/|/github/|githubusercontent\.com/)(?P<owner>[\w.-]+)/(?P<name>[\w-]+)"
)
CLONE = re.compile(r"git clone (?P<address>\S+?)(?:\.git)?(?: && cd (?P<folder>[\w.-]+))?(?=[\s\"\\]|$)", re.MULTILINE)


def strangers(text: str) -> list[str]:
    """Return what in a text looks like this repository's address and is another."""
    places = [match for match in PLACE.finditer(text) if match["owner"] == OWNER or match["name"] == NAME]
    found = [match[0] for match in places if (match["owner"], match["name"]) != (OWNER, NAME)]
    found += [
        match[0] for match in re.finditer(r"mybinder\.org/v2/\S+?/HEAD", text) if f"/gh/{OWNER}/{NAME}/" not in match[0]
    ]
    clones = list(CLONE.finditer(text))
    found += [match[0] for match in clones if match["address"] != ADDRESS or match["folder"] not in (None, NAME)]
    return found


def test_address_is_a_repository():
    assert re.fullmatch(r"https://github\.com/[\w-]+/[\w-]+", ADDRESS)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_page_names_no_other_address(page):
    assert strangers(page.read_text(encoding="utf-8")) == []


def test_address_stands_where_people_look_for_it():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"git clone {ADDRESS}.git && cd {NAME}\n" in readme
    assert f"https://mybinder.org/v2/gh/{OWNER}/{NAME}/HEAD" in readme
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["repository-code"] == ADDRESS
    assert f"git clone {ADDRESS}.git" in (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        f"[x](https://github.com/someone/{NAME}/issues)",
        f"git@github.com:someone/{NAME}.git",
        f"git clone https://example.org/{OWNER}/{NAME}.git",
        f"git clone {ADDRESS}.git && cd elsewhere",
        "[x](https://mybinder.org/v2/gh/some/thing/HEAD?urlpath=lab)",
        f"https://colab.research.google.com/github/someone/{NAME}/blob/main/x.ipynb",
        f"https://raw.githubusercontent.com/{OWNER}/other/main/x.csv",
    ],
)
def test_another_address_is_found_out(text):
    assert strangers(text) != []


@pytest.mark.parametrize(
    "text",
    [ADDRESS, f'"git clone {ADDRESS}.git\\n"', "https://github.com/pytorch/pytorch", f"{ADDRESS}/blob/main/x.md"],
)
def test_this_address_and_other_peoples_are_not(text):
    assert strangers(text) == []
