"""Open the notebooks in a real browser, run every cell, and move every widget by the keyboard.

python tools/browser.py [--rounds N] [NAME ...]    all notebooks, or those whose name begins so; 3 rounds by default

Those that need the extras are opened where the environment variable RECSYS_TUTORIAL_EXTRAS is set.
Prints, for each notebook and round, how long it took and how long its slowest widget took to answer; 1 if a cell or a
widget shows an error, or an answer takes more than 2 s. Needs Chromium (Debian's ``chromium``, say) and the package
playwright (``pip install -e ".[browser]"``). Pictures of what was seen go to the folder that the environment variable
RECSYS_TUTORIAL_SCREENSHOTS names, else to screenshots/.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import NEED_EXTRAS, ROOT, browser_page, lab, missing

SCREENSHOTS = Path(os.environ.get("RECSYS_TUTORIAL_SCREENSHOTS", ROOT / "screenshots"))
LIMIT = 2.0  # seconds a widget may take to answer
READY = """name => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.sessionContext?.isReady && panel.context.path.endsWith(name);
}"""
RUN = """async count => {  // run the first cells, after which all of them stand without the outputs of before
    const commands = window.jupyterapp.commands, notebook = window.jupyterapp.shell.currentWidget.content;
    await commands.execute('notebook:clear-all-cell-outputs');
    const all = count >= notebook.widgets.length;
    if (!all) notebook.activeCellIndex = count;
    const late = new Promise((_, no) => setTimeout(() => no(new Error('cells run for 5 minutes')), 300000));
    await Promise.race([commands.execute(all ? 'notebook:run-all-cells' : 'notebook:run-all-above'), late]);
}"""
CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells"
STOP = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.sessionContext.shutdown();
    panel.context.model.dirty = false;
    panel.dispose();
}"""
MOVES = "panel => Number(panel.querySelector('.panel-answer').dataset.moves)"
ANSWERED = "([panel, moves]) => Number(panel.querySelector('.panel-answer').dataset.moves) > moves"
WIDGET = "application/vnd.jupyter.widget-view+json"
MAKES_PANEL = re.compile(r"rt\.widgets\.\w*Panel\(")
# Outermost boxes that hold an answer: the panels. A control is a slider's handle, or a list.
PANELS = ".jp-OutputArea-output > .widget-vbox:has(.panel-answer)"
CONTROLS = ".noUi-handle, select"


@dataclass
class Seen:
    """What was seen of one notebook: faults in words, seconds in all, and seconds of each widget's answers."""

    name: str
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    answers: list[float] = field(default_factory=list)
    panels: int = 0

    @property
    def slowest(self) -> float:
        """Seconds of the slowest answer, 0 where there is no widget."""
        return max(self.answers, default=0.0)


def look_at(page: Any, address: str, name: str, limit: float = LIMIT, whole: bool = True) -> Seen:
    """Open one notebook, run its cells, move all its widgets, and return what was seen.

    Without ``whole`` the cells after its last panel are not run, and none are where it has no panel.
    """
    seen, started = Seen(name), time.perf_counter()
    page.goto(address.format(f"{name}.ipynb"))
    page.wait_for_function(READY, arg=f"/{name}.ipynb")
    cells = page.evaluate(CELLS)
    made = [number for number, cell in enumerate(cells, start=1) if MAKES_PANEL.search("".join(cell["source"]))]
    count = len(cells) if whole else max(made, default=0)
    if count:
        page.evaluate(RUN, count)
    cells = [cell for cell in page.evaluate(CELLS)[: count or None] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, start=1):
        errors = [output["evalue"] for output in cell["outputs"] if output["output_type"] == "error"]
        seen.faults += [f"code cell {number} shows an error: {error}" for error in errors]
        if cell["execution_count"] is None:
            seen.faults.append(f"code cell {number} did not run")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for panel in page.query_selector_all(PANELS):
        seen.panels += 1
        seen.faults += _move(page, panel, seen, limit)
        panel.screenshot(path=SCREENSHOTS / f"{name}_{seen.panels}.png")
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    sent = sum(WIDGET in output.get("data", {}) for cell in cells for output in cell["outputs"])
    if sent != seen.panels:
        seen.faults.append(f"{sent} widgets were sent to the page, and {seen.panels} panels are there")
    page.evaluate(STOP)
    seen.seconds = time.perf_counter() - started
    return seen


def _move(page: Any, panel: Any, seen: Seen, limit: float) -> list[str]:
    """Move every control of a panel by the keyboard, one after the other by Tab; return what is wrong."""
    controls, faults, answers, took = panel.query_selector_all(CONTROLS), [], set(), []
    if not controls:
        return [f"panel {seen.panels} has nothing that the keyboard could move"]
    controls[0].focus()
    for number, control in enumerate(controls, start=1):
        what = f"panel {seen.panels}, control {number}"
        if not _has_focus(control):  # a slider's number, which can be typed over, stands between two handles
            page.keyboard.press("Tab")
        if not _has_focus(control):
            faults.append(f"{what} is not reached by Tab")
            control.focus()
        for key in ("ArrowUp", "ArrowDown", "ArrowDown"):
            seconds = _answer(page, panel, key)
            took += [] if seconds is None else [seconds]
            answers.add(panel.eval_on_selector(".panel-answer", "answer => answer.innerHTML"))
        if panel.query_selector(".panel-error"):
            faults.append(f"{what} shows an error: {panel.query_selector('.panel-error').inner_text()}")
        page.keyboard.press("Tab")
    if len(answers) < 2:
        faults.append(f"panel {seen.panels} never changes its answer")
    if max(took, default=0) > limit:
        faults.append(f"panel {seen.panels} takes {max(took):.1f} s to answer")
    seen.answers += took
    return faults


def _has_focus(control: Any) -> bool:
    return control.evaluate("control => control === document.activeElement")


def _answer(page: Any, panel: Any, key: str) -> float | None:
    """Press a key and return the seconds until the panel has answered; None where the value could not move."""
    moves, started = panel.evaluate(MOVES), time.perf_counter()
    before = _values(panel)
    page.keyboard.press(key)
    if _values(panel) == before:
        return None
    page.wait_for_function(ANSWERED, arg=[panel, moves])
    return time.perf_counter() - started


def _values(panel: Any) -> list[str]:
    """Return what every control of the panel is set to."""
    script = "controls => controls.map(c => c.getAttribute('aria-valuenow') ?? c.value)"
    return panel.eval_on_selector_all(CONTROLS, script)


def names(begin: list[str]) -> list[str]:
    """Return the notebooks that can run here and whose names begin with one of ``begin`` (none: all of them)."""
    found = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    left_out = () if os.environ.get("RECSYS_TUTORIAL_EXTRAS") else NEED_EXTRAS
    found = [name for name in found if name not in left_out]
    return [name for name in found if not begin or name.startswith(tuple(begin))]


def main(argv: list[str]) -> int:
    """Look at the notebooks several times and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(argv)
    if why := missing():
        sys.exit(f"tools/browser.py: {why}")
    faults = 0
    with lab() as address, browser_page() as page:
        for number in range(1, asked.rounds + 1):
            for name in names(asked.names):
                seen = look_at(page, address, name)
                faults += len(seen.faults)
                what = f"{seen.panels} panels, {len(seen.answers)} moves, slowest {seen.slowest:.2f} s"
                print(f"round {number} {name}: {seen.seconds:.0f} s, {what}", *seen.faults, sep="\n   ", flush=True)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
