"""Exercises of notebook 06."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .base import compared

Values = Mapping[int, float]


def _differences(model: Values, rival: Values) -> list[float]:
    return [model[seed] - rival[seed] for seed in sorted(set(model) & set(rival))]


def _of_means(model: Values, rival: Values) -> list[float]:
    gap = float(np.mean(list(model.values())) - np.mean(list(rival.values())))
    return [gap] * len(set(model) & set(rival))


def _runs() -> dict[str, tuple]:
    model, rival = {0: 0.41, 1: 0.36, 2: 0.45}, {2: 0.44, 0: 0.42, 1: 0.30}
    return {
        "seeds 0, 1, 2 of a model, .41 .36 .45, and of its rival, .42 .30 .44": (model, rival),
        "the same where seed 1 of the rival is missing": (model, {0: 0.42, 2: 0.44}),
    }


def _verdict(low: float, high: float) -> str:
    return "positive" if low > 0 else "negative" if high < 0 else "undecided"


def _intervals() -> dict[str, tuple]:
    return {
        "a gain between .01 and .03": (0.01, 0.03),
        "one between -.05 and -.02": (-0.05, -0.02),
        "one between -.01 and .04": (-0.01, 0.04),
        "one between 0 and .02": (0.0, 0.02),
        "one between -.03 and 0": (-0.03, 0.0),
    }


EXERCISES = (
    compared(
        "06-paired",
        "Write differences(model, rival): both are seed -> value; return the gains of the model, in the order of the "
        "seeds that both have.",
        "set(model) & set(rival) are the seeds that both have. Take the rival off, seed by seed.",
        _differences,
        _runs,
        {
            "pairs by position, though the seeds stand in another order": lambda model, rival: [
                a - b for a, b in zip(model.values(), rival.values(), strict=False)
            ],
            "takes the model off the rival": lambda model, rival: _differences(rival, model),
            "averages first, and loses the pairs": _of_means,
            "forgets which way a difference goes": lambda model, rival: np.abs(_differences(model, rival)),
        },
    ),
    compared(
        "06-verdict",
        "Write verdict(low, high) for the interval of a gain: 'positive', 'negative' or 'undecided'.",
        "It is positive only where the whole interval lies above 0.",
        _verdict,
        _intervals,
        {
            "looks at the middle only": lambda low, high: "positive" if low + high > 0 else "negative",
            "calls negative all that is not positive": lambda low, high: "positive" if low > 0 else "negative",
            "is off at the edge: an interval that touches 0 does not leave it out": lambda low, high: (
                "positive" if low >= 0 else "negative" if high <= 0 else "undecided"
            ),
        },
    ),
)  # fmt: skip
