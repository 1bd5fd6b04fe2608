"""Exercises of notebook 11."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .base import compared

Numbers = Sequence[float]


def _seeds_needed(spread: float, gain: float) -> int:
    return max(2, math.floor((2 * spread / gain) ** 2) + 1)


def _comparisons() -> dict[str, tuple]:
    return {
        "a gain of 1 with a spread of 3": (3.0, 1.0),
        "a gain of 1.5 with a spread of 2.5": (2.5, 1.5),
        "a gain of 4 with a spread of 0.5": (0.5, 4.0),
    }


def _multiplier(n: float, reached: float, labels: Numbers, values: Numbers) -> float:
    needed = np.exp(np.interp(reached, values, np.log(labels)))
    return math.inf if reached > values[-1] else float(needed / n)


def _on_labels(n: float, reached: float, labels: Numbers, values: Numbers) -> float:
    return math.inf if reached > values[-1] else float(np.interp(reached, values, labels) / n)


def _next_point(n: float, reached: float, labels: Numbers, values: Numbers) -> float:
    return next((label / n for label, value in zip(labels, values, strict=True) if value >= reached), math.inf)


def _curves() -> dict[str, tuple]:
    labels, values = [30, 120, 480], [0.30, 0.40, 0.44]
    return {
        "what the model reaches with 30 labels is .35; the rival's .30, .40, .44 with 30, 120, 480": (
            30, 0.35, labels, values,
        ),
        "the same where the model reaches .42 with 60": (60, 0.42, labels, values),
        "the same where it reaches .44 with 60, as the rival does in the end": (60, 0.44, labels, values),
        "the same where it reaches .45 with 120, which the rival never does": (120, 0.45, labels, values),
    }  # fmt: skip


EXERCISES = (
    compared(
        "11-seeds",
        "Write seeds_needed(spread, gain): how many seeds it takes until the interval of a gain leaves out 0, if it "
        "reaches 2 spread / sqrt(n) to either side of the gain.",
        "2 spread / sqrt(n) < gain; solve it for n. An interval that only touches 0 does not leave it out, and one "
        "seed has no spread.",
        _seeds_needed,
        _comparisons,
        {
            "forgets the square": lambda spread, gain: max(2, math.floor(2 * spread / gain) + 1),
            "forgets that the interval reaches two spreads": lambda spread, gain: _seeds_needed(spread / 2, gain),
            "is content with an interval that touches 0": lambda spread, gain: max(
                2, math.ceil((2 * spread / gain) ** 2)
            ),
            "is content with one seed": lambda spread, gain: math.floor((2 * spread / gain) ** 2) + 1,
        },
    ),
    compared(
        "11-multiplier",
        "Write multiplier(n, reached, labels, values): a model reaches a quality with n labels, its rival has these "
        "values with these labels; how many times n does the rival need to reach it? float('inf') if it never does.",
        "np.interp(reached, values, np.log(labels)) is the logarithm of the labels that the rival needs. np.interp "
        "does not go beyond the last point.",
        _multiplier,
        _curves,
        {
            "forgets that labels are on a log scale": _on_labels,
            "takes the next number of labels that was measured": _next_point,
            "takes the end of the curve where the rival never gets there": lambda n, reached, labels, values: float(
                np.exp(np.interp(reached, values, np.log(labels))) / n
            ),
            "forgets to divide by n": lambda n, reached, labels, values: n * _multiplier(n, reached, labels, values),
        },
    ),
)  # fmt: skip
