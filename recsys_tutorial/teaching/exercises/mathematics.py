"""Exercises of notebook 03."""

from __future__ import annotations

import numpy as np

from ..linear import spread_kept
from .base import compared

Array = np.ndarray


def _gradient(z: Array, w: Array, b: Array, y: Array) -> Array:
    return z.T @ (2 * (z @ w + b - y))


def _heads() -> dict[str, tuple]:
    z, w = np.array([[0.762, 0.0], [0.5, -1.0]]), np.array([[1.0], [2.0]])
    return {
        "one user with z = (0.762, 0), W = (1, 2), y = 1": (z[:1], w, np.zeros(1), np.ones((1, 1))),
        "two users, with b = 0.5": (z, w, np.array([0.5]), np.array([[1.0], [0.0]])),
    }


def _multinomial(o: Array, y: Array) -> Array:
    return -(y * (o - np.log(np.exp(o).sum(1, keepdims=True)))).sum(1)


def _outputs() -> dict[str, tuple]:
    o = np.log(np.array([[4.0, 2.0, 1.0, 1.0], [1.0, 1.0, 1.0, 5.0]]))
    y = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    return {
        "the user of section 6, o = log(4, 2, 1, 1) and films 0 and 2": (o[:1], y[:1]),
        "that user and another, who has film 3": (o, y),
    }


def _ridge(z: Array, y: Array, strength: float) -> Array:
    centred = z - z.mean(0)
    w = np.linalg.solve(centred.T @ centred + strength * np.eye(z.shape[1]), centred.T @ (y - y.mean(0)))
    return y.mean(0) + centred @ w


def _uncentred(z: Array, y: Array, strength: float) -> Array:
    return z @ np.linalg.solve(z.T @ z + strength * np.eye(z.shape[1]), z.T @ y)


def _penalised(z: Array, y: Array, strength: float) -> Array:
    return _uncentred(np.c_[z, np.ones(len(z))], y, strength)


def _labelled() -> dict[str, tuple]:
    z, y = np.array([[-1.0], [0.0], [1.0]]), np.array([[0.0], [0.0], [3.0]])
    return {
        "the three users of section 7, with lambda 1": (z, y, 1.0),
        "three users with two numbers each, with lambda 2": (np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0]]), y, 2.0),
        "the three users of section 7 with z one larger, which must not change the predictions": (z + 1, y, 1.0),
    }


def _needed(x: Array, share: float) -> int:
    return int(np.searchsorted(spread_kept(x), share) + 1)


def _without_mean(x: Array, share: float) -> int:
    kept = np.linalg.svd(x, compute_uv=False) ** 2
    return int(np.searchsorted(np.cumsum(kept) / kept.sum(), share) + 1)


def _not_squared(x: Array, share: float) -> int:
    kept = np.linalg.svd(x - x.mean(0), compute_uv=False)
    return int(np.searchsorted(np.cumsum(kept) / kept.sum(), share) + 1)


def _rows() -> dict[str, tuple]:
    points = np.array([[2.0, 2.0], [-2.0, -2.0], [1.0, -1.0], [-1.0, 1.0]])
    return {
        "90 % of the spread of the four points of section 5": (points, 0.9),
        "75 % of it": (points, 0.75),
        "90 % for the same four points, all moved by (9, -9)": (points + np.array([9.0, -9.0]), 0.9),
    }


EXERCISES = (
    compared(
        "03-gradient",
        "Write head_gradient(z, W, b, y): dL/dW for L = the sum over users of (o - y)^2, o = z W + b.",
        "Section 2 has it for one user: z^T e with e = 2 (o - y). A matrix product adds up over users by itself.",
        _gradient,
        _heads,
        {
            "forgets the 2 of the square": lambda z, w, b, y: _gradient(z, w, b, y) / 2,
            "goes uphill: y - o where o - y belongs": lambda z, w, b, y: -_gradient(z, w, b, y),
            "forgets b": lambda z, w, b, y: _gradient(z, w, 0 * b, y),
            "averages over users where L is a sum": lambda z, w, b, y: _gradient(z, w, b, y) / len(z),
        },
    ),
    compared(
        "03-multinomial",
        "Write multinomial(o, y): (users, films) outputs and 0/1 rows -> the loss of each user.",
        "log pi = o - log(sum of e^o). Which axis do the films compete along, and over which do you add up?",
        _multinomial,
        _outputs,
        {
            "lets users compete instead of films, the wrong axis": lambda o, y: _multinomial(o.T, y.T),
            "takes the softmax over the wrong axis": lambda o, y: -(y * (o - np.log(np.exp(o).sum(0)))).sum(1),
            "averages over films where it should add up": lambda o, y: _multinomial(o, y) / o.shape[1],
            "leaves out the logarithm of the sum": lambda o, y: -(y * o).sum(1),
            "forgets the minus": lambda o, y: -_multinomial(o, y),
        },
    ),
    compared(
        "03-ridge",
        "Write ridge(z, y, strength): the predictions of the ridge head for the users it was fitted on.",
        "Take the means off z and y, solve (z^T z + strength I) W = z^T y, and put the mean of y back.",
        _ridge,
        _labelled,
        {
            "forgets to take the means off": _uncentred,
            "pulls b towards zero too": _penalised,
            "forgets lambda": lambda z, y, strength: _ridge(z, y, 0.0),
            "forgets to put the mean of y back": lambda z, y, strength: _ridge(z, y, strength) - y.mean(0),
        },
    ),
    compared(
        "03-needed",
        "Write needed(x, share): how many directions of PCA keep at least this share of the spread of x.",
        "np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2 says what each direction keeps; np.cumsum adds them up.",
        _needed,
        _rows,
        {
            "forgets to take the mean off": _without_mean,
            "adds up singular values, not their squares": _not_squared,
            "is off by one, and counts from 0": lambda x, share: _needed(x, share) - 1,
        },
    ),
)  # fmt: skip
