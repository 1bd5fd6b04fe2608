"""Exercises of notebook 07."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .base import Exercise, Wrong, asked, compared

Costs = Mapping[str, float]
USERS = np.arange(100, 180)


def _share(answer: Any) -> str:
    small, again, large = (list(asked(answer, USERS, share, 0)) for share in (0.25, 0.25, 0.5))
    if len(small) != 20 or len(large) != 40:
        raise Wrong(f"A quarter and a half of 80 users are 20 and 40; yours are {len(small)} and {len(large)}.")
    if len(set(small)) < 20 or not set(large) <= set(USERS.tolist()):
        raise Wrong("A user came twice, or one that was not there.")
    if small != again:
        raise Wrong("I asked twice for a quarter with the same seed and got other users.")
    if not set(small) <= set(large):
        raise Wrong("The quarter is not a part of the half: two things change at once, how many users and which.")
    if set(small) == set(USERS[:20].tolist()) or set(small) == set(asked(answer, USERS, 0.25, 1)):
        raise Wrong("Another seed gives the same users, or they are the first in the list: the draw is not random.")
    return "I asked for a quarter and a half of 80 users: the one is in the other, and another seed draws others."


def _undominated(seconds: Costs, quality: Costs) -> list[str]:
    def beaten(one: str) -> bool:
        return any(
            seconds[other] <= seconds[one] and quality[other] >= quality[one]
            and (seconds[other] < seconds[one] or quality[other] > quality[one])
            for other in seconds
        )  # fmt: skip

    return sorted(name for name in seconds if not beaten(name))


def _cases() -> dict[str, tuple]:
    seconds = {"a": 0.1, "b": 1.0, "c": 10.0, "d": 20.0, "e": 20.0}
    quality = {"a": 0.20, "b": 0.28, "c": 0.28, "d": 0.30, "e": 0.29}
    return {
        "a .1 s .20, b 1 s .28, c 10 s .28, d 20 s .30, e 20 s .29": (seconds, quality),
        "the same without d": tuple({name: of[name] for name in "abce"} for of in (seconds, quality)),
    }


def _by_ratio(n: int) -> Callable[[Costs, Costs], list[str]]:
    return lambda seconds, quality: sorted(sorted(seconds, key=lambda name: -quality[name] / seconds[name])[:n])


EXERCISES = (
    Exercise(
        "07-share",
        "Write smaller(users, share, seed): return a random share of the users, the smaller share of one seed being a "
        "part of the larger.",
        "np.random.default_rng(seed).permutation(users) shuffles once; a share is its beginning.",
        _share,
        {
            "draws anew for every share": lambda users, share, seed: np.random.default_rng(
                [seed, round(100 * share)]
            ).choice(users, round(share * len(users)), replace=False),
            "takes the first users without a draw": lambda users, share, seed: users[: round(share * len(users))],
            "draws with replacement": lambda users, share, seed: np.random.default_rng(seed).choice(
                users, round(share * len(users))
            ),
            "keeps each user with this chance, so that the number varies": lambda users, share, seed: users[
                np.random.default_rng(seed).random(len(users)) < share
            ],
            "forgets the seed": lambda users, share, seed: np.random.default_rng(0).permutation(users)[
                : round(share * len(users))
            ],
        },
    ),
    compared(
        "07-worth",
        "Write worth_it(seconds, quality): both are model -> number; return the sorted names of the models that no "
        "other one beats: none is as cheap and better, or as good and cheaper.",
        "For each model look for another with seconds <= and quality >=, and one of the two strictly.",
        _undominated,
        _cases,
        {
            "takes the best alone": lambda seconds, quality: [max(quality, key=quality.get)],
            "goes by quality per second": _by_ratio(2),
            "asks for better in both, so that one as good and slower stays": lambda seconds, quality: sorted(
                one for one in seconds
                if not any(seconds[o] < seconds[one] and quality[o] > quality[one] for o in seconds)
            ),
            "lets a model beat itself, so that none is left": lambda seconds, quality: [
                one for one in seconds
                if not any(seconds[o] <= seconds[one] and quality[o] >= quality[one] for o in seconds)
            ],
        },
    ),
)  # fmt: skip
