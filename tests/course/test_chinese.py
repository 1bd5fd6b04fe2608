"""The Chinese edition keeps step: same code, outputs, order, numbers, formulas and links; its words the glossary's."""

import json
import re
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes
from test_glossary import PAGE, pattern, rows
from test_links import dead

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import chinese  # noqa: E402

NAMES = chinese.names()
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
KEPT = {  # what a translation leaves as it is
    "code": re.compile(r"`[^`\n]+`"),
    "formulas": re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL),
    "keys": re.compile(r"\[[A-Z]\w*\d{4}\w?\]"),
    "marks": re.compile(r"</?(?:details|summary)|^#+ ", re.MULTILINE),
}
MEANT_OTHERWISE = {  # the head of the long tail, to lift into a list, double precision, a roof's ridge, a head start
    "01": {"head"}, "02": {"lift"}, "03": {"precision"}, "10": {"precision", "ridge"}, "14": {"head"},
}  # fmt: skip
SAY = {  # one thing, one name
    "前训练": "预训练", "预先训练": "预训练", "精调": "微调", "特征抽取": "特征提取", "自动编码器": "自编码器",
    "未标注": "无标签", "标注数据": "标签数据", "未标记": "无标签", "项目向量": "物品向量", "商品向量": "物品向量",
    "基准模型": "基线模型", "信赖区间": "置信区间", "随机数种子": "随机种子", "历元": "轮次", "脊回归": "岭回归",
}  # fmt: skip


def outside_code(text: str) -> str:
    """Return a text without its code blocks and remarks."""
    return re.sub(r"<!--.*?-->", " ", CODE.sub(" ", text), flags=re.DOTALL)


def texts(name: str) -> dict[str, tuple[str, str]]:
    """Return each cell's English and Chinese, as a reader gets them."""
    source, translation = chinese.pair(name)
    english = {cell.id: cell.text for cell in chinese.english(source)}
    pairs = {cell.id: (english[cell.id], cell.text) for cell in chinese.translated(translation) if cell.id in english}
    if name in chinese.PAGES:
        return pairs  # rendered where they stand
    return {id: (old, chinese.filled(new, old)) for id, (old, new) in pairs.items()}


def differences(english: str, chinese: str) -> list[str]:
    """Return what a translation has to have in common with its original, and has not."""
    found = []
    if CODE.findall(english) != CODE.findall(chinese):
        found.append("code blocks")
    english, chinese = (re.sub(r"\\text\{[^{}]*\}", "", outside_code(text)) for text in (english, chinese))
    for what, kept in {**KEPT, "numbers": NUMBER}.items():
        if what == "numbers":
            english, chinese = (re.sub(r"\]\([^)]*\)", "", text) for text in (english, chinese))
        old, new = ({re.sub(r"\s", "", one) for one in kept.findall(text)} for text in (english, chinese))
        found += [f"{what}: {one}" for one in sorted(old ^ new)]
    return found


def other_names(text: str) -> dict[str, str]:
    """Return words for which the edition has another one, with that."""
    return {said: use for said, use in SAY.items() if said in text}


def lost_emphasis(text: str) -> list[str]:
    """Return the asterisks that a browser shows, since CommonMark sees no emphasis there."""
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    text = re.sub(r"\$\$.+?\$\$|\$[^$\n]+\$", "$", text, flags=re.DOTALL)
    inline = [token for token in markdown.parse(text) if token.type == "inline"]
    return [part.content for token in inline for part in token.children if part.type == "text" and "*" in part.content]


EDITION = {chinese.pair(name)[0]: chinese.render(name)[0] for name in NAMES}

# --- the edition ---------------------------------------------------------------------------------------------


def test_no_cell_is_stale():
    assert {name: ids for name in NAMES if (ids := chinese.stale(name))} == {}, "see CONTRIBUTING.md, Chinese"


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_in_order(name):
    source, translation = chinese.pair(name)
    ids = [[cell.id for cell in cells] for cells in (chinese.translated(translation), chinese.english(source))]
    assert ids[0] == ids[1], f"python tools/chinese.py --refresh {name}"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_what_the_tool_renders(name):
    path, text = chinese.render(name)
    assert path.read_text(encoding="utf-8") == text, "python tools/chinese.py"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in chinese.PAGES])
def test_code_outputs_order_and_ids_are_the_english_ones(name):
    source = chinese.pair(name)[0]
    mine, yours = (json.loads(text) for text in (chinese.render(name)[1], source.read_text(encoding="utf-8")))
    for notebook in (mine, yours):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                del cell["source"]
    assert json.dumps(mine) == json.dumps(yours)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_formulas_code_and_keys_are_the_english_ones(name):
    found = {id: differences(*pair) for id, pair in texts(name).items()}
    assert {id: faults for id, faults in found.items() if faults} == {}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    path, _ = chinese.render(name)
    assert {id: faults for id, (_, text) in texts(name).items() if (faults := dead(path, text))} == {}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_the_same_files_in_chinese_where_there_are_such(name):
    source, path = chinese.pair(name)[0], chinese.render(name)[0]
    for id, pair in texts(name).items():
        english, text = (targets(side, file) for side, file in zip(pair, (source, path), strict=True))
        assert text - {source} == {EDITION.get(link, link) for link in english - {path}}, id


def targets(text: str, path: Path) -> set[Path | str]:
    """Return where the links of a text lead to, but for headings; those to the switch of language aside."""
    links = re.findall(r"\]\(([^)#\s]+)", outside_code(text))
    near, far = ([link for link in links if (":" in link) == is_far] for is_far in (False, True))
    return {(path.parent / link).resolve() for link in near} | {link.replace("/zh/", "/") for link in far}


def said_otherwise(english: str, text: str) -> dict[str, str]:
    """Return the terms of the glossary that are in an English text, and not in its translation."""
    english = re.sub(r"`[^`]*`|\$[^$]*\$|\[[^]]*\]\(https?:", " ", outside_code(english))
    text = re.sub(r"[\s*]", "", text)
    missing = {}
    for term, (said, _, _, *forms) in rows(PAGE).items():
        names = [re.sub(r"[＊\s]", "", name) for name in said.split("、")]
        names += [term] if re.search(r"[A-Z0-9]", term) else []  # NDCG, item2vec
        forms = [form for form in forms if form != "map"]  # of the course
        if any(pattern(form).search(english) for form in forms) and not any(name in text for name in names):
            missing[term] = said
    return missing


@pytest.mark.parametrize("name", NAMES)
def test_terms_are_the_glossary_s(name):
    english, text = ("\n".join(side) for side in zip(*texts(name).values(), strict=True))
    assert {*said_otherwise(english, text)} <= MEANT_OTHERWISE.get(name, set())
    assert other_names(text) == {}, "write what stands on the right"


def test_agendas_name_headings_that_are_there():
    _, text = texts("notebooks/zh/README.md")["section-02"]
    for line in [line for line in text.splitlines() if line.startswith("| ") and "ipynb" in line]:
        number = line.partition("](")[2][:2]
        headings = re.findall(r"^#+ (.*)$", "\n".join(cell for _, cell in texts(number).values()), re.MULTILINE)
        assert {said for said in re.findall(r"“([^”]+)”", line) if not any(said in one for one in headings)} == set()


@pytest.mark.parametrize("name", NAMES)
def test_no_asterisk_is_left_over(name):
    assert {id: faults for id, (_, text) in texts(name).items() if (faults := lost_emphasis(text))} == {}


# --- the tool, on a made-up notebook -------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A course of one notebook with two text cells, translated."""
    (tmp_path / "notebooks" / "zh").mkdir(parents=True)
    cells = [
        new_markdown_cell("# One\n\n**Question.** Why?\n\n**Takes** 20 seconds and 550 MB of memory.", id="cell-00"),
        new_code_cell("1 + 1", id="cell-01", outputs=[new_output("execute_result", {"text/plain": "2"})]),
        new_markdown_cell("Look [there](../docs/there.md), and [here](00_a.ipynb#One): 2.", id="cell-02"),
    ]
    (tmp_path / "notebooks" / "00_a.ipynb").write_text(writes(new_notebook(cells=cells)) + "\n", encoding="utf-8")
    monkeypatch.setattr(chinese, "ROOT", tmp_path)
    monkeypatch.setattr(chinese, "PAGES", {})
    assert chinese.main(["--refresh", "00"]) == 0
    path = tmp_path / "notebooks" / "zh" / "00.md"
    text = path.read_text(encoding="utf-8").replace("# One\n\n**Question.** Why?", "# 一\n\n**问题。** 为什么？")
    text = re.sub(r"\*\*Takes.*", "**用时**", text).replace("Look [there]", "看[那里]")
    path.write_text(text, encoding="utf-8")
    return tmp_path / "notebooks"


def change(path: Path, old: str, new: str) -> None:
    """Change a word in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def shown(small: Path) -> list[str]:
    """Render, and return the sources of the cells."""
    assert chinese.main([]) == 0
    cells = json.loads((small / "zh" / "00_a.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


def test_a_cell_is_new_until_it_is_checked(small, capsys):
    assert chinese.main(["--stale"]) == 1
    assert capsys.readouterr().out == "00: cell-00 cell-02\n"
    assert chinese.main(["--checked", "00", "cell-02"]) == 0
    assert chinese.stale("00") == ["cell-00"]
    assert chinese.main(["--checked", "00"]) == 0
    assert chinese.main(["--stale"]) == 0
    assert capsys.readouterr().out == "no stale cell\n"


def test_a_stale_cell_shows_the_english_under_one_grey_line(small):
    chinese.main(["--checked", "00"])
    change(small / "00_a.ipynb", "Look [there]", "Look up [there]")
    first, code, last = shown(small)
    assert first == "# 一\n\n**问题。** 为什么？\n\n**用时** 20 秒，占用 550 MB 内存（2 核，实测）。"
    assert code == "1 + 1"
    line, _, english = last.partition("\n\n")
    assert line == chinese.STALE
    assert re.fullmatch(r'<span style="color: #767676">[^<\n]+</span>', line)
    assert english == "Look up [there](../../docs/there.md), and [here](../00_a.ipynb#One): 2."
    assert chinese.stale("00") == ["cell-02"]


def test_what_is_measured_makes_nothing_stale_and_is_shown_anew(small):
    chinese.main(["--checked", "00"])
    change(small / "00_a.ipynb", "20 seconds and 550 MB", "1.5 minutes and 600 MB")
    assert chinese.stale("00") == []
    assert "**用时** 1.5 分钟，占用 600 MB 内存" in shown(small)[0]


def test_table_of_notebooks_has_their_translated_questions(small):
    chinese.main(["--checked", "00"])
    row = "| [`00_a`](../00_a.ipynb) | {} | {} | 550 MB |\n"
    english = "<!-- notebooks -->\n" + row.format("Why?", "1.5 minutes") + "<!-- /notebooks -->"
    filled = chinese.filled("<!-- notebooks -->\n<!-- /notebooks -->", english)
    assert filled == "<!-- notebooks -->\n" + chinese.HEAD + row.format("为什么？", "1.5 分钟") + "<!-- /notebooks -->"


def test_a_cell_that_moves_takes_its_translation_along(small):
    chinese.main(["--checked", "00"])
    path = small / "00_a.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"].insert(2, dict(notebook["cells"][0], source=["New."]))
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"cell-{number:02d}"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert chinese.stale("00") == ["cell-02"]
    assert "看[那里]" in shown(small)[3], "found by its hash"
    assert chinese.main(["--refresh", "00"]) == 0
    cells = chinese.translated(small / "zh" / "00.md")
    assert [(cell.id, cell.hash == chinese.NEW) for cell in cells] == [
        ("cell-00", False), ("cell-02", True), ("cell-03", False)
    ]  # fmt: skip
    assert cells[1].text == "New."


def test_wrong_calls_say_what_is_right(small, capsys):
    assert chinese.main(["--fresh"]) == 2
    assert chinese.main(["00"]) == 2
    assert "--refresh NAME" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="'17' is neither a notebook's number nor"):
        chinese.main(["--refresh", "17"])


# --- each check can fail -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("english", "text", "fault"),
    [
        ("its mean is 0.300", "平均值是 0.309", "numbers: 0.309"),
        ("659 users", "许多用户", "numbers: 659"),
        ("2,078 films", "2078 部电影", "numbers: 2,078"),
        ("$f = h \\circ g$", "$f = g \\circ h$", "formulas: $f=g\\circh$"),
        ("call `pretrain`", "调用 `预训练`", "code: `预训练`"),
        ("```python\nx = 1\n```", "```python\nx = 2\n```", "code blocks"),
        ("as in [Steck2019]", "如文献所说", "keys: [Steck2019]"),
        ("## A heading", "一个标题", "marks: ##"),
        ("<details><summary>A", "<summary>答", "marks: <details"),
    ],
)
def test_a_difference_is_found_out(english, text, fault):
    assert fault in differences(english, text)
    assert differences(english, english) == []


def test_an_output_that_differs_a_dead_link_and_a_wrong_word_are_found_out():
    assert dead(ROOT / "notebooks" / "zh" / "00_start_here.ipynb", "[x](02_concepts.ipynb#没有这个标题)")
    assert said_otherwise("Fine-tune the head.", "微调头部。") == {"head": "任务特定的模型＊、任务头"}
    assert other_names("先预先训练，再精调") == {"预先训练": "预训练", "精调": "微调"}
    assert lost_emphasis("**问题。**什么") == ["**问题。**什么"]
    assert lost_emphasis("**问题。** 什么，*少数* 人，$a * b$，`a * b`") == []
