"""What all exercises share: an exercise, the ways to look at an answer, and what is said of it."""

from __future__ import annotations

import copy
import textwrap
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

UNTOUCHED = (None, ..., NotImplemented)


class Wrong(Exception):
    """Raised by a check; the message is a sentence to the learner on what was looked at and what was seen."""


class Untouched(Exception):
    """Raised where there is no answer yet."""


class Words(str):
    """A text that a notebook shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(textwrap.fill(line, 100) for line in self.splitlines())


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found.

    Args:
        done: True, False, or None for an exercise that nobody has touched.
        said: the sentences for the learner.
    """

    done: bool | None
    said: str

    def __repr__(self) -> str:
        return repr(Words(self.said))


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    Args:
        name: number of the notebook and a word, such as ``01-lift``.
        goal: one sentence: what the answer is to do.
        hint: given when asked for.
        look: answer -> a sentence on what was looked at and found right; raises :class:`Wrong` or :class:`Untouched`.
        mistakes: what people get wrong -> an answer that does so. ``look`` refuses every one of them.
    """

    name: str
    goal: str
    hint: str
    look: Callable[[Any], str]
    mistakes: Mapping[str, Any]

    def check(self, answer: Any) -> Verdict:
        """Return what there is to say of ``answer``; what goes wrong inside it is said too, never raised."""
        try:
            if any(answer is nothing for nothing in UNTOUCHED):
                raise Untouched
            return Verdict(True, f"{self.name}: done. {self.look(answer)}")
        except (Untouched, NotImplementedError):
            return Verdict(None, f"{self.name}: not done yet. {self.goal}\nA hint: rt.exercises.hint({self.name!r})")
        except Wrong as wrong:
            return Verdict(False, f"{self.name}: not yet. {wrong}")
        except Exception as error:  # whatever a learner's code may raise: it is shown, and Run All goes on
            at = traceback.extract_tb(error.__traceback__)[-1]
            stopped = f"It stopped with {type(error).__name__}: {error}\nin {at.name}, line {at.lineno}: {at.line}"
            return Verdict(False, f"{self.name}: not yet. {stopped}")


def asked(answer: Callable[..., Any], *inputs: Any) -> Any:
    """Return what ``answer`` gives for copies of ``inputs``; no answer counts as untouched."""
    if not callable(answer):
        raise Wrong(f"I expected a function and found {shown(answer)}.")
    value = answer(*copy.deepcopy(inputs))
    if any(value is nothing for nothing in UNTOUCHED):
        raise Untouched
    return value


def compared(
    name: str,
    goal: str,
    hint: str,
    right: Callable[..., Any],
    cases: Callable[[], Mapping[str, Sequence[Any]]],
    mistakes: Mapping[str, Callable[..., Any]],
) -> Exercise:
    """Return an exercise whose answer is a function, held against ``right`` on every case.

    Where it differs as one of the ``mistakes`` does, on all cases, the learner is told which one it looks like.

    Args:
        name: as in :class:`Exercise`, and so the next two.
        goal: what the function is to do.
        hint: given when asked for.
        right: a function that is right.
        cases: returns, for each case in words, the inputs.
        mistakes: verb phrase ("forgets to ...") -> a function that does so.
    """

    def look(answer: Any) -> str:
        known = cases()
        given = {words: asked(answer, *inputs) for words, inputs in known.items()}
        for words, inputs in known.items():
            expected = right(*inputs)
            if not same(given[words], expected):
                text = f"I asked for {words}: yours gives {shown(given[words])}, and {shown(expected)} is right."
                raise Wrong(text + _looks_like(given, known, mistakes))
        return f"I asked for {'; '.join(known)}: all as they should be."

    return Exercise(name, goal, hint, look, mistakes)


def _looks_like(given: Mapping[str, Any], cases: Mapping[str, Sequence[Any]], mistakes: Mapping[str, Any]) -> str:
    """Return a sentence on the mistake that gives the same for every case, nothing where there is none."""
    for what, mistake in mistakes.items():
        if all(same(given[words], mistake(*inputs)) for words, inputs in cases.items()):
            return f" An answer that {what} looks like this."
    return ""


def same(a: Any, b: Any) -> bool:
    """Return whether two answers are equal: numbers up to rounding, NaN like NaN, tables cell by cell."""
    if isinstance(b, tuple):
        return isinstance(a, tuple | list) and len(a) == len(b) and all(map(same, a, b))
    a, b = plain(a), plain(b)
    if a.shape != b.shape or (a.dtype.kind in "OUS") != (b.dtype.kind in "OUS"):
        return False
    return bool((a == b).all() if b.dtype.kind in "OUS" else np.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True))


def plain(value: Any) -> np.ndarray:
    """Return a number, list, array, tensor or sparse matrix as an array; what has no shape becomes a single cell."""
    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    if hasattr(value, "toarray"):  # SciPy's sparse tables
        return value.toarray()
    try:
        return np.asarray(value)
    except ValueError:  # rows of unequal length
        return np.array(str(value))


def shown(value: Any) -> str:
    """Return an answer in a few letters."""
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))})"
    table = plain(value)
    if table.dtype.kind == "f":
        table = table.astype(float).round(4) + 0.0
    text = " ".join(str(table.tolist()).split())
    return text if len(text) <= 120 else f"{text[:110]} ... (shape {table.shape})"
