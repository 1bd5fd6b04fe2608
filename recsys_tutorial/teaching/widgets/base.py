"""What all panels share: controls above, their answer below, and the answer as it stays in a stored notebook."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import ipywidgets
import pandas as pd

from ...errors import InputError
from ..plots import Plot

Shown = Plot | pd.DataFrame | list[str]


class Panel(ipywidgets.VBox):
    """Controls, and below them what a plain function answers to their values; the answer follows every move.

    What goes wrong in the function is written in the answer's place: an :class:`InputError` as it is, since it says
    what to do, and after a move anything else with its type. (While the panel is built, anything else is raised.)

    Args:
        controls: name -> a slider; the name is what it passes its value as.
        ask: called with the controls' values by name; returns a figure, a table or a list of lines.
        about: one line on what is here, for readers without a running kernel.
    """

    def __init__(self, controls: Mapping[str, ipywidgets.Widget], ask: Callable[..., Shown], about: str) -> None:
        self.controls, self.ask, self.about = dict(controls), ask, about
        self.answer, self.moves = ipywidgets.HTML(), 0
        super().__init__([*self.controls.values(), self.answer])
        for control in self.controls.values():
            control.observe(self._follow, names="value")
        self.update()

    def update(self) -> None:
        """Ask again and show the answer, or what is wrong with the question."""
        self.plot: Plot | None = None
        try:
            shown = self.ask(**{name: control.value for name, control in self.controls.items()})
        except InputError as error:
            self._write(f'<p role="alert">{escape(str(error))}</p>')
            return
        self.plot = shown if isinstance(shown, Plot) else None
        self._write(as_answer(shown))

    def _follow(self, change: Any) -> None:
        try:
            self.update()
        except Exception as error:  # it would else end in a log that nobody reads
            self._write(f'<p role="alert" class="panel-error">{type(error).__name__}: {escape(str(error))}</p>')

    def _write(self, html: str) -> None:
        self.answer.value = f'<div role="status" class="panel-answer" data-moves="{self.moves}">{html}</div>'
        self.moves += 1  # so that an answer which reads like the last one can be told from none

    def __repr__(self) -> str:
        return f"{self.about}: run this cell to use it."

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the live panel, and the answer as it is now for where no kernel runs."""
        live = super()._repr_mimebundle_(**kwargs)
        if self.plot is None:
            return {**live, "text/html": self.answer.value, "text/plain": repr(self)}, {}
        picture, metadata = self.plot._repr_mimebundle_()
        return {**live, **picture, "text/plain": f"{self!r} {self.plot.alt}"}, metadata


def slider(
    name: str, value: Any, options: range | Sequence[tuple[str, Any]], width: str = "14em"
) -> ipywidgets.IntSlider | ipywidgets.SelectionSlider:
    """Return a labelled slider that the arrow keys move, over whole numbers or over (text, value) pairs.

    No list to choose from (a ``Dropdown``): JupyterLab keeps the arrow keys from it.

    Raises:
        InputError: ``value`` is none of the options.
    """
    known = list(options) if isinstance(options, range) else [option for _, option in options]
    if value not in known:
        raise InputError(f"{name}={value}: it needs to be between {known[0]} and {known[-1]}, the ends of the slider")
    look = {
        "description": name,
        "style": {"description_width": width},
        "layout": {"width": f"calc({width} + 24em)", "max_width": "100%"},
        "tooltip": f"{name}; the arrow keys move it",
    }
    if isinstance(options, range):
        return ipywidgets.IntSlider(value, min=known[0], max=known[-1], **look)
    return ipywidgets.SelectionSlider(options=options, value=value, **look)


@dataclass(frozen=True)
class Folded:
    """A long table behind one line that a click opens; where there is no HTML it is printed whole.

    Args:
        table: as it is shown.
        title: the line.
    """

    table: pd.DataFrame
    title: str

    def _repr_html_(self) -> str:
        return f"<details><summary>{escape(self.title)}</summary>{self.table.to_html(border=0)}</details>"

    def __repr__(self) -> str:
        return f"{self.title}\n{self.table.to_string()}"


def as_answer(shown: Shown) -> str:
    """Return a figure with its text, a table, or a numbered list, in HTML."""
    if isinstance(shown, Plot):
        source = f"data:image/png;base64,{base64.b64encode(shown.png()).decode()}"
        alt = escape(shown.alt, quote=True)
        return f'<img src="{source}" alt="{alt}"><p aria-hidden="true">{escape(shown.alt)}</p>'
    return as_html(shown) if isinstance(shown, pd.DataFrame) else as_list(shown)


def as_html(table: pd.DataFrame) -> str:
    """Return a table with header cells, for screen readers, and without the index."""
    return table.to_html(index=False, border=0, justify="left")


def as_list(lines: Iterable[str]) -> str:
    """Return a numbered list in HTML."""
    return "<ol>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ol>"
