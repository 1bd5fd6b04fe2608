"""Exercises of notebook 13."""

from __future__ import annotations

import numpy as np

from .base import compared

Array = np.ndarray


def _averaged(items: Array, t: Array, axis: int = 1, least: int = 1) -> Array:
    there = (items >= 0)[:, :, None]
    with np.errstate(invalid="ignore"):
        return (t[items] * there).sum(axis=axis) / np.maximum(least, there.sum(axis=axis))


def _added(items: Array, t: Array) -> Array:
    return (t[items] * (items >= 0)[:, :, None]).sum(axis=1)


def _histories() -> dict[str, tuple]:
    t = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]])
    return {
        "the films 0 and 1, then an empty place; t of (1, 0), (.6, .8), (0, -1)": (np.array([[0, 1, -1]]), t),
        "film 1 alone, films 2 2 0, and nobody's empty row": (np.array([[1, -1, -1], [2, 2, 0], [-1, -1, -1]]), t),
    }


def _auc(p: Array, clicked: Array, tie: float = 0.5) -> float:
    apart = p[clicked == 1][:, None] - p[clicked == 0][None, :]
    return float(((apart > 0) + tie * (apart == 0)).mean())


def _all_pairs(p: Array, clicked: Array) -> float:
    apart = p[clicked == 1][:, None] - p[clicked == 0][None, :]
    return float(((apart > 0) + 0.5 * (apart == 0)).sum() / (len(p) * (len(p) - 1) / 2))


def _log_loss(p: Array, clicked: Array) -> float:
    return float(-np.mean(clicked * np.log(p) + (1 - clicked) * np.log(1 - p)))


def _impressions() -> dict[str, tuple]:
    return {
        "p of .9 .4 .4 .2, clicked 1 1 0 0": (np.array([0.9, 0.4, 0.4, 0.2]), np.array([1, 1, 0, 0])),
        "p of .3 .8 .6 .1 .2, clicked 1 0 1 0 0": (np.array([0.3, 0.8, 0.6, 0.1, 0.2]), np.array([1, 0, 1, 0, 0])),
    }


EXERCISES = (
    compared(
        "13-text",
        "Write averaged(items, t): items is (users, places) with -1 in empty places, t one text vector per film; "
        "return (users, dim), the mean of t over each user's films, zeros for somebody who has none.",
        "t[items] is (users, places, dim), and reads the last film where -1 stands: multiply by (items >= 0)[:, :, "
        "None], add up, and divide by how many films there are.",
        _averaged,
        _histories,
        {
            "takes an empty place for the last film": lambda items, t: t[items].mean(axis=1),
            "divides by the width of the table, not by how many films there are": lambda items, t: (
                _added(items, t) / items.shape[1]
            ),
            "averages over people, the wrong axis": lambda items, t: _averaged(items, t, axis=0),
            "adds up where it should average": _added,
            "gives nan to somebody who has nothing": lambda items, t: _averaged(items, t, least=0),
        },
    ),
    compared(
        "13-loss",
        "Write mean_loss(p, clicked): the mean over impressions of -log of the probability that was given to what "
        "happened.",
        "Where clicked is 1 that probability is p, where it is 0 it is 1 - p.",
        _log_loss,
        _impressions,
        {
            "looks at clicks only": lambda p, clicked: float(-np.mean(clicked * np.log(p))),
            "adds up where it should average": lambda p, clicked: len(p) * _log_loss(p, clicked),
            "forgets the minus": lambda p, clicked: -_log_loss(p, clicked),
            "takes p for the probability of no click": lambda p, clicked: _log_loss(1 - p, clicked),
            "takes logarithms to base 2": lambda p, clicked: _log_loss(p, clicked) / float(np.log(2)),
        },
    ),
    compared(
        "13-auc",
        "Write pairs_right(p, clicked): the share of pairs, one clicked and one not, in which the clicked one has the "
        "higher p; a tie counts half.",
        "p[clicked == 1][:, None] - p[clicked == 0] is a table with all such pairs. Where is it above 0, where 0?",
        _auc,
        _impressions,
        {
            "gives a tie the whole point": lambda p, clicked: _auc(p, clicked, tie=1.0),
            "gives a tie nothing": lambda p, clicked: _auc(p, clicked, tie=0.0),
            "counts pairs of two clicked, or of two that were not": _all_pairs,
            "is the accuracy of p above one half": lambda p, clicked: float(((p > 0.5) == clicked).mean()),
            "puts the pairs the wrong way round": lambda p, clicked: _auc(-p, clicked),
        },
    ),
)  # fmt: skip
