"""Exercises that look at an answer and say plainly what they saw; one file per notebook.

``check("01-lift", lift)`` looks at an answer, ``hint("01-lift")`` helps. An exercise that nobody has touched says
"not done yet", so that a notebook runs from top to bottom all the same. To add one, write it into the file of its
notebook, or into a new file here that holds a tuple ``EXERCISES``.
"""

import importlib
import pkgutil
from typing import Any

from ...errors import unknown
from .base import Exercise, Verdict, Words, Wrong, asked, compared

__all__ = ["EXERCISES", "Exercise", "Verdict", "Wrong", "asked", "check", "compared", "hint"]

_FILES = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for name in _FILES
    for exercise in importlib.import_module(f".{name}", __name__).EXERCISES
}


def check(name: str, answer: Any = ...) -> Verdict:
    """Look at ``answer`` and return what there is to say of it; as the last line of a cell it is shown.

    Raises:
        InputError: there is no exercise of this name.
    """
    return _find(name).check(answer)


def hint(name: str) -> Words:
    """Return a hint; InputError when there is no exercise of this name."""
    return Words(_find(name).hint)


def _find(name: str) -> Exercise:
    if name not in EXERCISES:
        raise unknown("exercise", name, EXERCISES)
    return EXERCISES[name]
