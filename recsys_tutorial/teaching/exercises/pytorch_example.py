"""Exercises of notebook 04."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...model import PretrainedModel
from .base import Exercise, Wrong, asked, compared, same, shown


def _network() -> tuple[PretrainedModel, Tensor]:
    """Return the article's network with as many numbers in z as there are films, so that shapes hide a mistake."""
    torch.manual_seed(0)
    return PretrainedModel(input_dim=4, hidden_dim=4, output_dim=4), torch.tensor([[1.0, 0, 1, 0], [0, 1, 1, 0]])


def _loss(answer: Any) -> str:
    model, rows = _network()
    right = nn.functional.mse_loss(model.decoder(model.feature_extractor(rows)), rows)
    loss = asked(lambda rows: answer(model, rows), rows)
    if not isinstance(loss, Tensor) or loss.ndim:
        raise Wrong(f"I expected one number, a tensor without axes, and found {shown(loss)}.")
    if not same(loss, right):
        raise Wrong(f"For two users yours gives {shown(loss)}; the mean of (decoder(g(x)) - x)^2 is {shown(right)}.")
    if not loss.requires_grad:
        raise Wrong("The number is right, but no gradient flows from it: nothing would be learned.")
    loss.backward()
    if model.feature_extractor.item_vectors.grad is None:
        raise Wrong("The number is right, but its gradient stops before g: only the decoder would learn.")
    return f"For two users the loss is {shown(right)}, and its gradient reaches both the decoder and g."


def _mse(target: Callable[[PretrainedModel, Tensor], Tensor]) -> Callable[[PretrainedModel, Tensor], Tensor]:
    return lambda model, rows: nn.functional.mse_loss(target(model, rows), rows)


def _target(table: np.ndarray, film: int) -> tuple[np.ndarray, np.ndarray]:
    return np.delete(table, film, axis=1), (table[:, film] >= 4).astype(int)


def _tables() -> dict[str, tuple]:
    table = np.array([[5.0, 4.0, 0.0], [0.0, 3.5, 2.0], [4.0, 5.0, 1.0], [3.0, 0.0, 4.5]])
    return {
        "X and y of four users and three films, the question is film 1": (table, 1),
        "the same for film 0": (table, 0),
    }


def _roles(answer: Any) -> str:
    drawn = [asked(answer, 50, 20, 10, seed) for seed in (0, 0, 1)]
    for parts in drawn:
        if not isinstance(parts, tuple | list) or len(parts) != 3:
            raise Wrong(f"I expected three arrays, test, rest and labelled, and found {shown(parts)}.")
    test, rest, labelled = (list(map(int, part)) for part in drawn[0])
    sizes = (len(test), len(rest), len(labelled))
    if sizes != (20, 30, 10):
        raise Wrong(f"Of 50 people, 20 for the test and 10 labelled: I found {sizes}, and (20, 30, 10) is right.")
    if len(set(test)) < 20 or len(set(labelled)) < 10:
        raise Wrong("Somebody is in there twice: draw without replacement.")
    if set(labelled) & set(test):
        raise Wrong(f"{len(set(labelled) & set(test))} of the labelled are tested on too: their answers leak.")
    if set(test) & set(rest) or set(test) | set(rest) != set(range(50)):
        raise Wrong("test and rest need to be the 50 people 0 to 49, each in one of the two.")
    if not set(labelled) <= set(rest):
        raise Wrong("The labelled need to be among the rest.")
    if not same(drawn[0][0], drawn[1][0]) or same(drawn[0][0], drawn[2][0]):
        raise Wrong("One seed is to give the same people again, and another seed other people.")
    return "50 people: 20 in the test, 30 in the rest, 10 of these labelled, nobody in two roles, drawn by the seed."


def _draw(n: int, n_test: int, n_labelled: int, seed: int) -> tuple[np.ndarray, ...]:
    order = np.random.default_rng(seed).permutation(n)
    return order[:n_test], order[n_test:], order[n_test : n_test + n_labelled]


def _labelled_of_all(n: int, n_test: int, n_labelled: int, seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    return order[:n_test], order[n_test:], rng.permutation(n)[:n_labelled]


def _replaced(n: int, n_test: int, n_labelled: int, seed: int) -> tuple[np.ndarray, ...]:
    order = np.random.default_rng(seed).integers(n, size=n)
    return order[:n_test], order[n_test:], order[n_test : n_test + n_labelled]


EXERCISES = (
    Exercise(
        "04-loss",
        "Write reconstruction_loss(model, rows): how far the decoder's rows are from what went in, squared, the mean.",
        "model.decoder(model.feature_extractor(rows)) comes back from the 64 numbers to the films.",
        _loss,
        {
            "compares g(x) with x": _mse(lambda model, rows: model.feature_extractor(rows)),
            "sends g(x) through the head instead of the decoder": _mse(lambda model, rows: model(rows)),
            "cuts g off, so that only the decoder learns": _mse(
                lambda model, rows: model.decoder(model.feature_extractor(rows).detach())
            ),
            "adds up where it should average": lambda model, rows: nn.functional.mse_loss(
                model.decoder(model.feature_extractor(rows)), rows, reduction="sum"
            ),
            "averages over the wrong axis, and gives one number per film": lambda model, rows: (
                (model.decoder(model.feature_extractor(rows)) - rows) ** 2
            ).mean(0),
        },
    ),
    compared(
        "04-target",
        "Write x_and_y(table, film): the stars (users, films) without the column of that film, and 1 for everyone who "
        "gave it 4 stars or more, else 0.",
        "np.delete(table, film, axis=1) takes a column out; table[:, film] >= 4 asks who liked it.",
        _target,
        _tables,
        {
            "leaks the target: the film's column is still in X": lambda table, film: (table, _target(table, film)[1]),
            "is off by one: more than 4 stars, where 4 are enough": lambda table, film: (
                np.delete(table, film, axis=1), (table[:, film] > 4).astype(int)
            ),
            "takes out a user instead of a film, the wrong axis": lambda table, film: (
                np.delete(table, film, axis=0), _target(table, film)[1]
            ),
            "gives the stars instead of 0 and 1": lambda table, film: (_target(table, film)[0], table[:, film]),
        },
    ),
    Exercise(
        "04-roles",
        "Write roles(n, n_test, n_labelled, seed): three arrays of people 0 to n - 1, the test, all the rest, and the "
        "labelled among the rest, drawn by the seed.",
        "np.random.default_rng(seed).permutation(n) puts everyone in a random order; then cut.",
        _roles,
        {
            "leaks the target: labelled people are drawn from everyone": _labelled_of_all,
            "is off by one: a person too many in the test": lambda n, n_test, n_labelled, seed: _draw(
                n, n_test + 1, n_labelled, seed
            ),
            "draws with replacement": _replaced,
            "forgets the seed": lambda n, n_test, n_labelled, seed: _draw(n, n_test, n_labelled, 7),
            "leaves the labelled out of the rest": lambda n, n_test, n_labelled, seed: (
                _draw(n, n_test, 0, seed)[0],
                _draw(n, n_test, 0, seed)[1][n_labelled:],
                _draw(n, n_test, n_labelled, seed)[2],
            ),
        },
    ),
)  # fmt: skip
