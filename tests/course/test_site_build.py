"""The site has every page and every public name, its links lead somewhere, and what is wrong stops the build."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import recsys_tutorial as rt

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import site_build  # noqa: E402
import site_check  # noqa: E402
import site_pages  # noqa: E402

EN = site_build.Edition("en")
needs_sphinx = pytest.mark.skipif(
    importlib.util.find_spec("sphinx_book_theme") is None, reason='pip install -e ".[docs]", as start.py site does'
)


@pytest.mark.skipif("RECSYS_TUTORIAL_EXTRAS" not in os.environ, reason="set by `python start.py test --extras`")
def test_where_all_extras_are_promised_the_site_is_built():
    assert importlib.util.find_spec("sphinx_book_theme")


# --- the pages that nobody types ----------------------------------------------------------------------------


@needs_sphinx
def test_every_public_name_has_its_topic():
    said = {name.said.removeprefix("rt.") for name in site_pages.public()}
    assert said == {*rt.__all__, *rt._WHEN_ASKED_FOR}
    text = re.sub(r"py:data:: (\w+)\n   :module: (\S+)", r"py:data:: \2.\1", "\n".join(site_pages.api_pages().values()))
    entries = re.findall(r"^\.\. (?:auto|py:)\w+:: (\S+)$", text, re.MULTILINE)
    assert {name.path for name in site_pages.public()} <= set(entries)
    assert {name.path for name in site_pages.imported_in_notebooks()} <= set(entries)
    assert len(entries) == len(set(entries)), "an entry stands on one page"


def test_a_public_name_without_a_topic_is_found_out(monkeypatch):
    monkeypatch.setattr(rt, "__all__", [*rt.__all__, "nowhere"])
    with pytest.raises(LookupError, match="nowhere"):
        site_pages.public()


@needs_sphinx
def test_things_are_called_as_people_call_them():
    said = site_pages.said_names()
    assert said["recsys_tutorial.learning.pretraining.pretrain"] == "rt.pretrain"
    assert said["recsys_tutorial.metrics.ranking.ndcg_at_k"] == "rt.metrics.ndcg_at_k"
    assert said["recsys_tutorial.metrics.intervals.bootstrap_interval"] == "rt.uncertainty.bootstrap_interval"


def test_every_command_and_every_option_is_in_the_reference():
    page = site_pages.commands_page()
    names = [name for name, _ in site_pages.commands()]
    assert {"demo", "advise", "study map", "study repeat"} <= set(names)
    for name, command in site_pages.commands():
        assert f"\n## {name}\n" in page
        for action in command._actions:
            words = [] if action.dest == "help" else action.option_strings
            assert all(f"`{word}" in page or f", {word}" in page for word in words)
    assert not re.search(r"%\(\w+\)", page)


# --- the pages that are there already -----------------------------------------------------------------------


def test_menu_has_every_notebook_in_order_and_every_page_once():
    pages = [path for paths in site_build.menu().values() for path in paths]
    notebooks = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert [path for path in pages if path.endswith(".ipynb")] == notebooks
    assert len(pages) == len(set(pages))
    docs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")} - {"docs/README.md"}
    assert docs | {"CHANGELOG.md", "CONTRIBUTING.md", "notebooks/README.md"} <= set(pages)


@pytest.mark.parametrize(
    ("path", "link", "on_the_site"),
    [
        ("notebooks/11_questions_and_outlook.ipynb", "../docs/glossary.md", "../docs/glossary.md"),
        ("notebooks/00_start_here.ipynb", "01_background.ipynb#The-map", "01_background.ipynb#The-map"),
        ("notebooks/README.md", "../README.md", "../index.md"),
        ("README.md", "docs/choices.md#transfer", "docs/choices.md#Transfer"),
        ("docs/choices.md", "#the-map", "#The-map"),
        ("README.md", "LICENSE", f"{site_pages.ADDRESS}/blob/main/LICENSE"),
        ("docs/choices.md", "results", f"{site_pages.ADDRESS}/tree/main/docs/results"),
        ("README.md", "https://example.org/x#y", "https://example.org/x#y"),
        ("README.md", "docs/nothing.md", "docs/nothing.md"),
    ],
)
def test_links_hold_on_the_site(path, link, on_the_site):
    assert site_build.relinked(f"see [`x`]({link})", path, EN) == f"see [`x`]({on_the_site})"
    assert site_build.relinked(f"```\n[x]({link})\n```\n", path, EN) == f"```\n[x]({link})\n```\n"


def test_a_badge_is_its_words():
    (badge,) = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "badge" in line]
    words = site_build.BADGE.sub(r"\1", badge)
    assert words.startswith("[Binder](https://mybinder.org/v2/gh/")
    assert site_build.relinked(words, "README.md", EN) == words


def test_pictures_of_a_notebook_keep_their_alternative_text():
    stored = json.loads(site_build.notebook("notebooks/01_background.ipynb", EN))
    alts = [cell["metadata"]["mystnb"]["image"]["alt"] for cell in stored["cells"] if "mystnb" in cell["metadata"]]
    assert len(alts) >= 3
    assert all(len(alt) > 20 for alt in alts)


# --- what is wrong with a built page ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="b.html">x</a><a href="b.html#here">x</a><a href="#top">x</a><img src="a.png" alt="A map.">', None),
        ('<a href="https://example.org">x</a><a href="mailto:x@example.org">x</a>', None),
        ('<a href="c.html">x</a>', "index.html: leads nowhere: c.html"),
        ('<a href="b.html#there">x</a>', "index.html: no such place on the page: b.html#there"),
        ('<a href="#there">x</a>', "index.html: no such place on the page: #there"),
        ('<img src="a.png">', "index.html: picture without alternative text: a.png"),
        ('<img src="a.png" alt=" ">', "index.html: picture without alternative text: a.png"),
        ('<img src="c.png" alt="A map.">', "index.html: leads nowhere: c.png"),
        ('<script src="https://example.org/x.js"></script>', "index.html: loads https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "index.html: loads //example.org/x.css"),
        ('<svg viewBox="0 0 1 1"></svg>', "index.html: picture without alternative text: svg"),
        ('<svg role="img" aria-label="A map."></svg><svg aria-hidden="true"></svg>', None),
    ],
)
def test_what_a_visitor_would_stumble_over_is_found(tmp_path, body, fault):
    (tmp_path / "index.html").write_text(f"<h1 id='top'>A</h1>{body}", encoding="utf-8")
    (tmp_path / "b.html").write_text("<h1 id='here'>B</h1>", encoding="utf-8")
    (tmp_path / "a.png").touch()
    found = site_check.faults(tmp_path)
    assert len(found) == (fault is not None), found
    assert fault is None or found[0].startswith(fault)


def test_a_site_without_a_start_page_is_found_out(tmp_path):
    assert site_check.faults(tmp_path) == ["no index.html"]


# --- Sphinx -------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """A repository of two pages and one notebook, as site_build sees it; what is made from the package is left out."""
    for name in ("README.md", "CONTRIBUTING.md", "docs/one.md", "notebooks/README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# Page {name}\n\nText.\n", encoding="utf-8")
    write_notebook(tmp_path / "notebooks" / "00_a.ipynb", "# One\n\n$x^2$, [a page](../docs/one.md)")
    monkeypatch.setattr(site_build, "ROOT", tmp_path)
    monkeypatch.setattr(site_build, "SITE", tmp_path / "site")
    monkeypatch.setattr(site_build, "GENERATED", {})
    monkeypatch.setattr(site_pages, "generated", dict)
    return tmp_path


def write_notebook(path: Path, text: str) -> None:
    """Write a notebook of one cell of text and one of code with its output."""
    code = new_code_cell("print(1)", outputs=[new_output("stream", text="1\n")], execution_count=1)
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=[new_markdown_cell(text), code], metadata=kernel), path)


@needs_sphinx
def test_two_languages_are_built_with_a_switch(small, capsys):
    write_notebook(small / "notebooks" / "zh" / "00_a.ipynb", "# 一\n\n[一页](../../docs/one.md)，预训练模型")
    (small / "docs" / "map.png").touch()
    (small / "docs" / "zh").mkdir()
    start = "<!-- section-00 0123456789ab -->\n# 首页\n\n![一张画出增益的地图](../map.png)"
    (small / "docs" / "zh" / "README.md").write_text(f"{start}\n\n[English](../../README.md)\n", encoding="utf-8")
    assert site_build.main([]) == 0, capsys.readouterr().err
    built = small / "site" / "html"
    english, chinese = built / "notebooks" / "00_a.html", built / "zh" / "notebooks" / "zh" / "00_a.html"
    assert 'href="../zh/notebooks/zh/00_a.html" lang="zh">中文' in english.read_text(encoding="utf-8")
    page = chinese.read_text(encoding="utf-8")
    assert 'href="../../../notebooks/00_a.html" lang="en">English' in page
    assert 'lang="zh-CN"' in page
    assert "课程" in page
    index = (built / "zh" / "index.html").read_text(encoding="utf-8")
    assert 'lang="en">English' in index
    assert 'alt="一张画出增益的地图" src="_images/map.png"' in index
    assert index.count("English") == 1, "the switch of the page is for the repository"
    found = (built / "zh" / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(found.partition("(")[2].rpartition(")")[0])["terms"]
    assert {"预训", "训练", "练模", "模型"} <= set(terms), "each two characters"
    assert "query.matchAll(/(?=([\\u3400" in (built / "zh" / "_static" / "language_data.js").read_text(encoding="utf-8")


@needs_sphinx
def test_a_warning_stops_the_build_and_the_old_site_stays(small, capsys):
    (small / "site" / "html").mkdir(parents=True)
    (small / "site" / "html" / "old").touch()
    write_notebook(small / "notebooks" / "00_a.ipynb", "# One\n\n[lost](../docs/nothing.md)")
    assert site_build.main([]) == 1
    assert "nothing.md" in capsys.readouterr().err
    assert (small / "site" / "html" / "old").exists()
    assert site_build.main(["--serve"]) == 2


def test_sphinx_that_fails_in_silence_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(site_build.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 3, "", "\n"))
    assert site_build.build("en", tmp_path / "en", tmp_path / "html") == ["Sphinx exited with 3, and said nothing"]
    monkeypatch.setattr(site_build.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, "", ""))
    assert site_build.build("en", tmp_path / "en", tmp_path / "html") == []
