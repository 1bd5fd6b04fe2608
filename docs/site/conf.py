"""How Sphinx makes the site; tools/site_build.py lays its pages out, and calls it for every language."""

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from site_pages import ADDRESS, PROJECT, said_names
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish


def mathjax() -> str:
    """Return the path of MathJax in one file, fonts included, so that formulas are set without a network."""
    files = importlib.metadata.files("sphinx-mathjax-offline") or []
    return next(str(path.locate()) for path in files if path.name == "tex-svg.js")


project = "Pretrained models for recommender systems"
author = "The recsys-tutorial authors"
version = release = PROJECT["version"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx.ext.mathjax"]

nb_execution_mode = "off"  # the notebooks are stored as run
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "site_build.jupyter_slug"

autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static", mathjax()]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # it would be fetched, which browsers refuse for pages opened from files
html_domain_indices = False  # the API pages are by topic; the index has every name
mathjax_path = "tex-svg.js"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it
templates_path = ["templates"]
html_theme_options = {
    "repository_url": ADDRESS,
    "repository_branch": "main",
    "path_to_docs": ".",
    "use_repository_button": True,
    "use_download_button": False,
    "launch_buttons": {
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
        "notebook_interface": "jupyterlab",
    },
    "show_navbar_depth": 1,
    "article_header_end": ["language.html", "article-header-buttons"],
    "navbar_persistent": [],  # one field for searching is enough: the menu's
}


class SearchChinese(SearchEnglish):
    """Finds Chinese without a dictionary of words: each two characters that stand together count as one."""

    lang = "zh"
    js_splitter_code = r"""
function splitQuery(query) {
  const found = query.matchAll(/(?=([\u3400-\u9fff]{2}))|[a-zA-Z0-9_]+/g);
  return Array.from(found, function (one) { return one[1] || one[0]; });
}
"""

    def split(self, input: str) -> list[str]:
        """Return the words of a text, as the browser does those of a question."""
        return [two or word for two, word in re.findall(r"(?=([\u3400-\u9fff]{2}))|([a-zA-Z0-9_]+)", input)]


def say_as_people_do(app: Sphinx, doctree: nodes.document) -> None:
    """Call things in signatures ``rt.pretrain``, where Sphinx has the path of the file that defines them."""
    names = said_names()
    for signature in doctree.findall(addnodes.desc_signature):
        said = names.get(f"{signature.get('module')}.{signature.get('fullname')}")
        for before in signature.findall(addnodes.desc_addname):
            if said:
                before.children = [nodes.Text(f"{said.rpartition('.')[0]}.")]


def take_no_metric_for_an_address(app: Sphinx, doctree: nodes.document) -> None:
    """Undo the link that docutils makes of NDCG@20, which looks to it like an address of mail."""
    for link in [*doctree.findall(nodes.reference)]:
        if link.get("refuri", "").startswith("mailto:"):
            link.replace_self(nodes.Text(link.astext()))


def add_languages(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give the template of a page its addresses in the other languages, or their start pages."""
    switch = json.loads((Path(app.srcdir) / "languages.json").read_text(encoding="utf-8"))
    up = "../" * (page.count("/") + (app.config.language != "en"))
    others = switch.get(page, switch["index"])
    context["languages"] = {name: (code, up + address) for name, (code, address) in others.items()}


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the above."""
    app.add_search_language(SearchChinese)
    app.connect("doctree-read", say_as_people_do)
    app.connect("doctree-read", take_no_metric_for_an_address)
    app.connect("html-page-context", add_languages)
