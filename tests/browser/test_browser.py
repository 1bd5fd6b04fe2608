"""Every notebook in a real browser, and the proof that what looks at it can see a fault. Run by ``-m browser``."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import browser
import lab

pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(lab.missing()), reason=lab.missing())]
FAULTY = {
    "error": ["1 / 0", "2"],
    "panels": [
        "import time\nimport ipywidgets\nimport recsys_tutorial as rt",
        "rt.widgets.MetricPanel(ranks=(2, 5))",
        "slider = lambda: {'by': rt.widgets.base.slider('by', 2, range(3))}",
        "rt.widgets.Panel(slider(), lambda by: [str(1 / by)], 'A callback that fails')",
        "rt.widgets.Panel(slider(), lambda by: ['always the same'], 'A deaf panel')",
        "rt.widgets.Panel(slider(), lambda by: time.sleep(1.2) or [str(by)], 'A slow panel')",
        "ipywidgets.VBox([ipywidgets.HTML('<p class=\"panel-answer\" data-moves=\"0\">nothing to move</p>')])",
        "ipywidgets.IntSlider()",
        "rt.widgets.Panel({'by': ipywidgets.Dropdown(options='ab')}, lambda by: [by], 'Lab keeps the arrows')",
    ],
}


@pytest.fixture(scope="module")
def page():
    with lab.browser_page() as page:
        yield page


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """The address of a JupyterLab on two small notebooks with faults."""
    folder = tmp_path_factory.mktemp("notebooks")
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for name, cells in FAULTY.items():
        notebook = new_notebook(cells=[new_code_cell(source) for source in cells], metadata=kernel)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    with lab.lab(folder) as address:
        yield address


@pytest.fixture(scope="module")
def course():
    """The address of a JupyterLab on the notebooks of the course."""
    with lab.lab() as address:
        yield address


def test_an_error_in_a_cell_is_seen(page, faulty):
    seen = browser.look_at(page, faulty, "error")
    assert seen.faults == ["code cell 1 shows an error: division by zero", "code cell 2 did not run"]


def test_a_good_panel_passes_and_what_is_wrong_with_the_others_is_seen(page, faulty):
    seen = browser.look_at(page, faulty, "panels", limit=1.0)
    assert len(seen.answers) == 4 * 3 + 3 * 2  # a slider at its end moves once less
    assert (browser.SCREENSHOTS / "panels_1.png").stat().st_size > 1000
    assert [re.sub(r"\d\.\d s", "x s", fault) for fault in seen.faults] == [
        "panel 2, control 1 shows an error: ZeroDivisionError: division by zero",
        "panel 3 never changes its answer",
        "panel 4 takes x s to answer",
        "panel 5 has nothing that the keyboard could move",
        "panel 6 never changes its answer",
        "7 widgets were sent to the page, and 6 panels are there",
    ]


@pytest.mark.parametrize("name", browser.names([]))
def test_a_notebook_opens_and_its_widgets_answer(page, course, name):
    """The cells after the last widget are not run once more: nbval has run them, and tools/browser.py does too."""
    assert browser.look_at(page, course, name, whole=False).faults == []
