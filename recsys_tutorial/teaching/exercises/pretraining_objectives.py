"""Exercises of notebook 05."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...data.batches import Batch
from ...data.events import from_events
from ...data.interactions import Interactions
from ...encoders import Encoder
from ...learning.pretraining import pretrain
from ...objectives import Objective
from .base import Exercise, Untouched, Wrong, compared, shown

TASTE, OWNED = 10, 6  # films of a taste, and how many of them a person has


def _two_tastes() -> Interactions:
    """Return 120 people who have 6 of the 10 films of their taste; there are two tastes, the first is commoner."""
    rng = np.random.default_rng(0)
    taste = np.arange(120) % 3 % 2
    films = np.concatenate([TASTE * one + rng.permutation(TASTE)[:OWNED] for one in taste])
    return from_events(np.repeat(np.arange(120), OWNED), films, name="two tastes")


def _in_own_taste(model: Any, people: Interactions) -> float:
    """Return the share of the first four films, those that a person has left out, that are of the person's taste."""
    scores = model.score(people)
    scores[people.matrix.toarray() > 0] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, : TASTE - OWNED]
    taste = people.items[people.offsets[:-1]] // TASTE
    return float((best // TASTE == taste[:, None]).mean())


def _objective(answer: Any) -> str:
    if not (isinstance(answer, type) and issubclass(answer, Objective)):
        raise Wrong(f"I expected a class made from rt.Objective, and found {shown(answer)}.")
    people = _two_tastes()
    torch.manual_seed(0)
    built = answer.build(people, 8)
    loss: Any = built.loss(Batch.of(people.take_users(np.arange(20))))
    if loss is None or loss is ...:
        raise Untouched
    if not isinstance(loss, Tensor) or loss.ndim:
        raise Wrong(f"The loss of 20 people has to be one number, a tensor without axes; I found {shown(loss)}.")
    if not loss.requires_grad:
        raise Wrong("No gradient flows from the loss: nothing would be learned.")
    loss.backward()
    if all(weight.grad is None or not weight.grad.any() for weight in built.encoder.parameters()):
        raise Wrong("The gradient of the loss does not reach g (self.encoder): only the head would learn.")
    model = pretrain(answer.build(people, 8), people, epochs=60, batch_size=32, learning_rate=0.03, progress=False)
    share = _in_own_taste(model, people)
    words = "I pretrained it on 120 people with two tastes: of the films it puts first, taste"
    if share < 0.8:
        raise Wrong(f"{words} is right for {share:.0%}. At least 80 % should be; chance gives about a third.")
    return f"{words} is right for at least 80 %. Its loss is one number, and its gradient reaches g."


def _nearest(vectors: np.ndarray, item: int, k: int) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[item]
    cosines[item] = -np.inf
    return np.argsort(-cosines, kind="stable")[:k]


def _with_itself(vectors: np.ndarray, item: int, k: int) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(-unit @ unit[item], kind="stable")[:k]


def _by_product(vectors: np.ndarray, item: int, k: int) -> np.ndarray:
    products = vectors @ vectors[item]
    products[item] = -np.inf
    return np.argsort(-products, kind="stable")[:k]


def _over_films(vectors: np.ndarray, item: int, k: int) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=0, keepdims=True)
    return _by_product(unit, item, k)


def _vectors() -> dict[str, tuple]:
    vectors = np.array([[1.0, 0.0], [0.3, 0.0], [5.0, 5.0], [0.2, 0.1], [-1.0, 0.0]])
    return {
        "the 2 nearest of film 0 among (1, 0), (.3, 0), (5, 5), (.2, .1), (-1, 0)": (vectors, 0, 2),
        "the 3 nearest of film 2 among them": (vectors, 2, 3),
    }


class _Base(Objective):
    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.decoder = nn.Linear(encoder.dim, encoder.n_items)

    def head(self) -> nn.Linear:
        return self.decoder

    def log_pi(self, batch: Batch) -> tuple[Tensor, Batch]:
        shown, hidden = batch.hide(0.5)
        return self.decoder(self.encoder(shown)).log_softmax(1), hidden


class _Uphill(_Base):
    def loss(self, batch: Batch) -> Tensor:
        log_pi, hidden = self.log_pi(batch)
        return log_pi[hidden.rows, hidden.items].sum() / len(batch)


class _CutOff(_Base):
    def loss(self, batch: Batch) -> Tensor:
        shown, hidden = batch.hide(0.5)
        log_pi = self.decoder(self.encoder(shown).detach()).log_softmax(1)
        return -log_pi[hidden.rows, hidden.items].sum() / len(batch)


class _PerPerson(_Base):
    def loss(self, batch: Batch) -> Tensor:
        log_pi, _ = self.log_pi(batch)
        return -log_pi.sum(1)


class _WrongRows(_Base):
    """Ask each person for the hidden films of the next one."""

    def loss(self, batch: Batch) -> Tensor:
        log_pi, hidden = self.log_pi(batch)
        return -log_pi[(hidden.rows + 1) % len(batch), hidden.items].sum() / len(batch)


class _OverPeople(_Base):
    """Compare each film's people instead of each person's films, and forget which way is up."""

    def loss(self, batch: Batch) -> Tensor:
        shown, hidden = batch.hide(0.5)
        scores = self.decoder(self.encoder(shown))
        return scores.log_softmax(0)[hidden.rows, hidden.items].mean()


EXERCISES = (
    compared(
        "05-nearest",
        "Write nearest(vectors, item, k): the numbers of the k other films with the highest cosine to this one, the "
        "nearest first.",
        "Divide each row by its length, multiply with the row of the film, give the film itself -np.inf, and sort.",
        _nearest,
        _vectors,
        {
            "forgets to leave out the film itself": _with_itself,
            "takes the product, so that long vectors are near to all": _by_product,
            "divides by lengths along the wrong axis": _over_films,
            "is off by one, and leaves out the nearest": lambda vectors, item, k: _nearest(vectors, item, k + 1)[1:],
        },
    ),
    Exercise(
        "05-objective",
        "Write a loss of your own, from which g learns what belongs together.",
        "shown, hidden = batch.hide(0.5); self.decoder(self.encoder(shown)) scores every film for every person; the "
        "films of hidden should score above others. hidden.rows and hidden.items say who and what.",
        _objective,
        {
            "goes uphill: the minus is missing": _Uphill,
            "cuts g off, so that only the head learns": _CutOff,
            "gives one loss per person instead of one number": _PerPerson,
            "is off by one: asks for the films of the next person": _WrongRows,
            "lets people compete instead of films, the wrong axis": _OverPeople,
        },
    ),
)
