"""The checks that are written out, not compared: what they say of answers that are right, wrong or half of both."""

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.teaching.exercises import check, pretraining_objectives

# Stars as in notebook 00.
BEN, ALIENS = {"Toy Story (1995)": 2, "Pulp Fiction (1994)": 4, "Alien (1979)": 5}, "Aliens (1986)"


def drawn(n, n_test, n_labelled, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[:n_test], order[n_test:], order[n_test : n_test + n_labelled]


def roles(change):
    """Return an answer to 04-roles that is right but for one change."""
    return lambda n, n_test, n_labelled, seed: change(*drawn(n, n_test, n_labelled, seed))


def beginning(users, share, seed):
    return np.random.default_rng(seed).permutation(users)[: round(share * len(users))]


def with_a_stranger_in_the_half(users, share, seed):
    some = beginning(users, share, seed)
    return some if share < 0.5 else np.append(some[:-1], 999)


def first_then_drawn(users, share, seed):
    return beginning(users, share, seed) if seed else users[: round(share * len(users))]


SAID = [
    ("00-seen", BEN | {ALIENS: 1}, "done. Aliens (1986) has 1 stars: seen, not liked."),
    ("00-seen", BEN | {ALIENS: 3}, "done. Aliens (1986) has 3 stars: seen, not liked."),
    ("00-seen", [ALIENS], "I expected a dict, film -> stars, and found ['Aliens (1986)']."),
    ("00-seen", {ALIENS: 2}, "Ben gave Toy Story (1995) 2 stars, and here it has 0"),
    ("00-seen", BEN | {"Alien (1979)": 1, ALIENS: 2}, "Ben gave Alien (1979) 5 stars, and here it has 1"),
    ("00-seen", BEN | {"Babe (1995)": 1}, "Aliens (1986) is not among Toy Story (1995), "),
    ("04-loss", lambda model, rows: 3.0, "I expected one number, a tensor without axes, and found 3.0."),
    ("04-loss", lambda model, rows: ((model.decoder(model.feature_extractor(rows)) - rows) ** 2).mean().detach(),
     "no gradient flows from it"),
    ("04-roles", roles(lambda test, rest, few: [test, rest, few]), "done. 50 people: 20 in the test"),
    ("04-roles", roles(lambda *parts: np.stack([part[:3] for part in parts])), "I expected three arrays"),
    ("04-roles", roles(lambda test, rest, few: (test, rest)), "I expected three arrays"),
    ("04-roles", roles(lambda test, rest, few: (test, rest, few[:9])), "I found (20, 30, 9)"),
    ("04-roles", roles(lambda test, rest, few: (test, rest, few[[0] * 10])), "Somebody is in there twice"),
    ("04-roles", roles(lambda test, rest, few: (test[[0] * 20], rest, few)), "Somebody is in there twice"),
    ("04-roles", roles(lambda test, rest, few: (test, rest, test[:10])), "10 of the labelled are tested on too"),
    ("04-roles", roles(lambda test, rest, few: (test + 1, rest + 1, few + 1)), "the 50 people 0 to 49"),
    ("04-roles", roles(lambda test, rest, few: (test, rest, np.arange(50, 60))), "need to be among the rest"),
    ("04-roles", lambda n, n_test, n_labelled, seed: drawn(n, n_test, n_labelled, None), "One seed is to give"),
    ("07-share", lambda users, share, seed: users[: 20 if share == 0.25 else 30], "yours are 20 and 30"),
    ("07-share", lambda users, share, seed: users[: len(users) // 4], "of 80 users are 20 and 40; yours are 20 and 20"),
    ("07-share", with_a_stranger_in_the_half, "A user came twice, or one that was not there."),
    ("07-share", lambda users, share, seed: beginning(users, share, None), "asked twice for a quarter"),
    ("07-share", first_then_drawn, "or they are the first in the list"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "words"), SAID)
def test_an_answer_is_told_what_was_seen_of_it(name, answer, words):
    verdict = check(name, answer)
    assert verdict.done is words.startswith("done")
    assert words in verdict.said


class Own(rt.Objective):
    """An objective such as a learner writes in notebook 05."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.decoder = torch.nn.Linear(encoder.dim, encoder.n_items)

    def head(self):
        return self.decoder


@pytest.mark.parametrize(
    ("name", "loss", "words"),
    [
        ("05-objective", lambda self, batch: 1.0, "The loss of 20 people has to be one number, a tensor without axes"),
        ("05-objective", lambda self, batch: self.encoder(batch).sum(1) * 0 + len(batch), f"{[20.0] * 20}"[:60]),
        ("05-objective", lambda self, batch: self.decoder(self.encoder(batch)).sum().detach(), "No gradient flows"),
        ("05-objective", lambda self, batch: self.decoder.bias.sum(), "does not reach g (self.encoder)"),
    ],
)
def test_a_loss_is_told_what_was_seen_of_it(name, loss, words):
    verdict = check(name, type("Mine", (Own,), {"loss": loss}))
    assert verdict.done is False
    assert words in verdict.said


@pytest.mark.parametrize("name", ["05-objective"])
@pytest.mark.parametrize("nothing", [None, ...])
def test_a_loss_that_gives_nothing_counts_as_untouched(name, nothing):
    assert check(name, type("Mine", (Own,), {"loss": lambda self, batch: nothing})).done is None


@pytest.mark.parametrize("name", ["05-objective"])
def test_people_have_six_films_of_one_of_two_tastes(name):
    people = pretraining_objectives._two_tastes()
    assert people.events_per_user.tolist() == [6] * 120
    tastes = np.sort(people.item_ids[people.items].reshape(120, 6) // 10)
    assert (tastes[:, 0] == tastes[:, -1]).all()
    assert np.bincount(tastes[:, 0]).tolist() == [80, 40]
    assert people.item_ids.tolist() == list(range(20))


@pytest.mark.parametrize("name", ["05-objective"])
def test_the_share_in_the_own_taste_looks_at_films_that_a_person_has_not(name):
    class Scores:
        def __init__(self, per_taste):
            self.per_taste = np.repeat(np.asarray(per_taste, float), 10)

        def score(self, people):
            return self.per_taste + 20 * people.matrix.toarray()  # what they have comes first, if not left out

    people = pretraining_objectives._two_tastes()
    found = [pretraining_objectives._in_own_taste(Scores(scores), people) for scores in ([9, 0], [0, 9])]
    assert found == pytest.approx([2 / 3, 1 / 3])
