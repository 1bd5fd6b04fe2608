"""docs/glossary.md explains every term of art that the notebooks use, and one thing has one name everywhere."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")

# Words of the field, one a line: who uses one in a notebook explains it in the glossary.
TERMS_OF_ART = (ROOT / "tests" / "terms_of_art.txt").read_text(encoding="utf-8").splitlines()

# One thing, one name: what is written on the left is written here as on the right.
SAY = {
    "backbone": "feature extractor", "behavior": "behaviour", "finetun\\w+": "fine-tune", "pre-train\\w*": "pretrain",
    "unlabeled": "unlabelled", "labeled": "labelled", "catalog": "catalogue", "nDCG": "NDCG", "hit ratio": "hit rate",
    "downstream task": "task", "pretext task": "objective", "confidence interval": "interval", "test set": "test users",
}  # fmt: skip
OF_THE_ARTICLE = """预训练模型 推荐系统 特征提取器 任务特定的模型 微调 预训练 无标签数据 标签数据 用户行为 特征表示
泛化能力 自编码器 生成对抗网络 无监督学习 监督学习 分类 回归 计算资源 标签 用户 word2vec fastText BERT GPT"""


def rows(page: str) -> dict[str, list[str]]:
    """Return the glossary: the first form of a term -> Chinese, meaning, notebook, and then all forms of it."""
    found = {}
    for line in [line for line in page.splitlines() if line.startswith("| ")][2:]:
        term, *rest = line.strip("| ").split(" | ")
        forms = [form.strip() for form in re.sub(r"\$[^$]*\$", "", term).split(",") if form.strip()]
        found[forms[0]] = [*rest, *forms]
    return found


def pattern(term: str) -> re.Pattern:
    """Return what finds a term: capital letters count where it has some, as in MAP or EASE."""
    some = re.escape(term).replace("\\ ", r"[\s-]").replace("\\-", r"[\s-]")
    return re.compile(rf"(?<![\w-]){some}(?:s|es|'s)?(?![\w-])", 0 if term.lower() != term else re.IGNORECASE)


def source(name: str) -> str:
    """Return all cells of a notebook."""
    (path,) = (ROOT / "notebooks").glob(f"{name}*.ipynb")
    return "\n".join(cell.source for cell in nbformat.read(path, 4).cells)


def prose(name: str) -> str:
    """Return the Markdown of a notebook or page, without code, formulas and addresses."""
    path = ROOT / name
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return re.sub(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\]\([^)]*\)", " ", text, flags=re.DOTALL)


def unexplained(text: str, page: str = PAGE) -> list[str]:
    """Return the terms of art in a text that the glossary does not have."""
    known = {form.lower() for row in rows(page).values() for form in row[3:]}
    known |= {form.split("'")[0] for form in known}
    return [term for term in TERMS_OF_ART if pattern(term).search(text) and term.lower() not in known]


NOTEBOOKS = [f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]

PAGES = [f"docs/{name}.md" for name in ("commands", "cost", "glossary", "objectives", "other_tools", "package")]
PAGES += ["docs/your_own_data.md"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_term_of_art_is_explained(name):
    assert unexplained(prose(name)) == []


@pytest.mark.parametrize("name", [*NOTEBOOKS, "README.md", *PAGES])
def test_one_thing_has_one_name(name):
    other = {said: use for said, use in SAY.items() if re.search(rf"(?<![\w-]){said}(?![\w-])", prose(name))}
    assert other == {}, "write what stands on the right"


def test_every_entry_is_whole_and_in_order():
    table = rows(PAGE)
    assert all(len(row) >= 4 and all(row) for row in table.values())
    assert list(table) == sorted(table, key=lambda term: re.sub(r"[^a-z0-9]", "", term.lower()))
    assert all(re.search(r"[\u4e00-\u9fff]|＊", row[0]) or row[0] == term for term, row in table.items())


def test_every_term_is_met_where_the_glossary_says():
    text = {path.split("/")[1][:2]: source(path.split("/")[1][:2]).replace("_", "-") for path in NOTEBOOKS}
    nowhere = {
        f"{term} in {number}"
        for term, (_, _, number, *forms) in rows(PAGE).items()
        if number in text and not any(pattern(form).search(text[number]) for form in forms)
    }
    assert nowhere == set()


@pytest.mark.parametrize("term", OF_THE_ARTICLE.split())
def test_the_article_s_terms_are_there(term):
    assert f"{term}＊" in [name for row in rows(PAGE).values() for name in row[0].split("、")]


@pytest.mark.parametrize("text", ["a graph neural network", "trained by LSTMs", "It is a bandit.", "one-hot rows"])
def test_a_term_without_an_entry_is_found_out(text):
    assert unexplained(text) != []


def test_a_missing_entry_is_found_out():
    without = "\n".join(line for line in PAGE.splitlines() if not line.startswith("| leak "))
    assert unexplained("Beware of leaks.", without) == ["leak"]
    assert unexplained("Beware of leaks.") == []
