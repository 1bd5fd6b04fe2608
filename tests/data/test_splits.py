import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recsys_tutorial as rt
from recsys_tutorial.data.reports import TiedTimes
from recsys_tutorial.data.splits import PROTOCOLS, Split, held_out_users, leave_one_out, random_holdout, temporal


def pairs(interactions: rt.Interactions) -> set[tuple]:
    rows = np.repeat(np.arange(interactions.n_users), interactions.events_per_user)
    users = interactions.user_ids[rows].tolist()
    return set(zip(users, interactions.item_ids[interactions.items].tolist(), strict=True))


def log(seed: int, repeats: bool = False) -> rt.Interactions:
    rng = np.random.default_rng(seed)
    n = 300
    return rt.from_events(
        rng.integers(0, 20, n), rng.integers(0, 12, n), timestamp=rng.integers(0, 50, n),
        duplicates="keep" if repeats else "last", name="log",
    )  # fmt: skip


@pytest.mark.parametrize("name", PROTOCOLS)
@given(seed=st.integers(0, 500), repeats=st.booleans())
def test_every_protocol_keeps_targets_out_of_sight_and_loses_nothing_else(name, seed, repeats):
    data = log(seed, repeats)
    split = PROTOCOLS[name](data)
    targets = pairs(split.targets)
    assert targets
    assert not targets & pairs(split.inputs)
    assert not targets & pairs(split.train)
    assert (split.targets.events_per_user > 0).all()
    assert (split.inputs.events_per_user > 0).all()
    assert pairs(split.inputs) | targets <= pairs(data)
    if name == "random":
        assert pairs(split.train) | targets | {p for p in pairs(data) if p[0] not in split.train.user_ids} == pairs(
            data
        )


def test_held_out_users_are_in_no_training(movielens):
    split = held_out_users(movielens, test_share=0.25, seed=3)
    assert not set(split.train.user_ids) & set(split.inputs.user_ids)
    assert split.inputs.n_users == round(0.25 * movielens.n_users)
    assert split.train.n_users + split.inputs.n_users == movielens.n_users
    share = split.targets.n_events / (split.targets.n_events + split.inputs.n_events)
    assert share == pytest.approx(0.2, abs=0.005)


class Successors:
    """Scores what came right after the user's last item, in anybody's history that it was fitted on."""

    def fit(self, data: rt.Interactions) -> "Successors":
        self.after = np.zeros((data.n_items, data.n_items))
        within = np.diff(np.repeat(np.arange(data.n_users), data.events_per_user)) == 0
        np.add.at(self.after, (data.items[:-1][within], data.items[1:][within]), 1)
        return self

    def score(self, behaviour: rt.Batch) -> np.ndarray:
        return self.after[behaviour.items[behaviour.offsets[1:] - 1]]


@pytest.mark.parametrize("refit", [False, True])
def test_to_copy_what_followed_the_second_last_event_gains_nothing(refit):
    """Everybody has four items of their own, so what follows the second-last event is found nowhere but in the test."""
    own = rt.from_events(np.repeat(np.arange(30), 4), np.arange(120), in_order=True)
    split = leave_one_out(own, refit=refit)
    models = {"trained": Successors().fit(split.train), "leaky": Successors().fit(own)}
    found = rt.evaluate(models, split, "hit_rate", 1, progress=False).set_index("model")["value"]
    assert not models["trained"].score(rt.Batch.of(split.inputs)).any(), "it knows nothing of what comes"
    assert found["trained"] <= 1 / 30, "all scores are equal: one user's lowest unseen item is the target"
    assert found["leaky"] == 1


def test_leave_one_out_asks_for_the_last(club):
    split = leave_one_out(club)
    assert pairs(split.targets) == {("ann", 20), ("cid", 10)}
    assert "bob" not in split.targets.user_ids  # two events: trained on, not tested
    assert {("bob", 10), ("bob", 20)} < pairs(split.train)
    assert pairs(split.inputs) == {("ann", 30), ("ann", 10), ("cid", 30), ("cid", 40)}
    hidden = pairs(club) - pairs(split.train) - pairs(split.targets)  # the second-last: shown, never trained on
    assert hidden == {("ann", 10), ("cid", 30)}
    refit = leave_one_out(club, refit=True)
    assert pairs(refit.train) == pairs(club) - pairs(split.targets)
    assert (pairs(refit.inputs), pairs(refit.targets)) == (pairs(split.inputs), pairs(split.targets))
    assert refit.protocol == "leave-one-out, refit"


def test_what_follows_the_second_last_event_is_of_no_use():
    # Everyone ends with 8, 9. Who has learned that 8 comes after 7 knows more than the protocol allows to learn from.
    items = [[10 + user, 7, 8, 9] for user in range(9)]
    data = rt.from_events(np.repeat(range(9), 4), np.ravel(items), timestamp=np.tile(range(4), 9))
    of_eight = data.item_index(8)
    assert leave_one_out(data).train.events_per_item[of_eight] == 0
    assert leave_one_out(data, refit=True).train.events_per_item[of_eight] == 9
    assert (leave_one_out(data).inputs.events_per_item[of_eight], leave_one_out(data).targets.n_events) == (9, 9)


def test_leave_one_out_warns_where_chance_orders_the_events(tiny):
    with pytest.warns(TiedTimes, match=r"leave-one-out asks for the order.*'tiny' 67% of a user's neighbouring"):
        leave_one_out(tiny)  # two of three pairs: user 3's, and one of user 7's
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        leave_one_out(rt.from_events([1, 1, 1], [5, 6, 7], timestamp=[3, 4, 5]))
        leave_one_out(rt.from_events([1, 1, 1], [5, 6, 7], timestamp=[3, 3, 3], in_order=True))


def test_leave_one_out_does_not_ask_for_an_item_the_user_had_before():
    data = rt.from_events([*"uuuvvv"], [1, 2, 1, 1, 2, 3], timestamp=[1, 2, 3, 1, 2, 3], duplicates="keep")
    split = leave_one_out(data)
    assert pairs(split.targets) == {("v", 3)}
    assert split.train.events_per_user.tolist() == [3, 1]


def test_temporal_trains_on_nothing_after_the_cut(movielens):
    split = temporal(movielens, target_share=0.3)
    assert split.train.timestamps.max() < split.targets.timestamps.min()
    assert split.detail.startswith("targets from 20")
    refit = temporal(movielens, target_share=0.3, refit=True)
    assert (refit.protocol, refit.validation) == ("temporal, refit", None)
    assert pairs(refit.targets) == pairs(split.targets)
    assert pairs(refit.inputs) == pairs(split.inputs)
    assert refit.train.timestamps.max() < split.targets.timestamps.min()


def test_temporal_keeps_what_happened_just_before_for_validation():
    # Ten points in time; half before 5 is 0 to 4, of which half before 2 is trained on: 0 and 1, as 2 is the cut.
    data = rt.from_events([*"uuuuuuuuuu", *"vvvv"], [*range(10), 0, 2, 8, 9], timestamp=[*range(10), 0, 2, 8, 9])
    split = temporal(data, target_share=0.5)
    assert pairs(split.train) == {("u", 0), ("u", 1), ("v", 0)}
    assert pairs(split.inputs) == {("u", time) for time in range(5)} | {("v", 0), ("v", 2)}
    assert pairs(split.targets) == {("u", time) for time in range(5, 10)} | {("v", 8), ("v", 9)}
    assert pairs(split.validation.train) == pairs(split.validation.inputs) == pairs(split.train)
    assert pairs(split.validation.targets) == {("u", 2), ("u", 3), ("u", 4), ("v", 2)}
    assert split.detail == "targets from 1970-01-01 on, trained on what was before 1970-01-01"


def test_temporal_says_where_nothing_is_left_to_train_on():
    data = rt.from_events([1, 1, 2, 2], [1, 2, 1, 2], timestamp=[5, 9, 5, 9])
    with pytest.raises(rt.InputError, match="nothing lies before the earlier cut: give more data, or refit=True"):
        temporal(data, target_share=0.5)
    assert temporal(data, target_share=0.5, refit=True).train.n_events == 2


def test_the_seed_decides(movielens):
    for protocol in (held_out_users, random_holdout):
        first, second, other = (pairs(protocol(movielens, seed=seed).targets) for seed in (1, 1, 2))
        assert first == second != other


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda x: Split("p", x, x, x),
            r"p leaks: \d+ targets are in what is shown of them, the first is item 10 of user",
        ),
        (lambda x: Split("p", x, *_halves(x)), r"p leaks: \d+ targets are in what is trained on, the first is item"),
        (lambda x: Split("p", x, x, x.take_users(np.arange(2))), r"inputs and targets have other users"),
        (lambda x: Split("p", x, x.take_users([]), x.take_users([])), r"p: no user is left to test on"),
        (
            lambda x: Split("p", x, x, x.keep_events(np.zeros(x.n_events, bool))),
            r"p: 6 test users have no targets, the first is ann: filter_counts",
        ),
        (lambda x: Split("p", x, *[rt.from_events(["a"], ["b"])] * 2), r"the inputs has another catalogue"),
        (lambda x: held_out_users(x, test_share=1.0), r"test_share=1.0: it needs to be between 0 and 1"),
        (lambda x: random_holdout(x, target_share=0), r"target_share=0: it needs to be between 0 and 1"),
    ],
)
def test_bad_input(make, message, club):
    with pytest.raises(rt.InputError, match=message):
        make(club)


@pytest.mark.parametrize("protocol", [leave_one_out, temporal])
def test_a_time_protocol_needs_times(protocol):
    data = rt.from_events(["a", "a"], [1, 2], name="untimed")
    with pytest.raises(rt.InputError, match=r"'untimed' has no timestamps, which .* needs: name their column"):
        protocol(data)


def _halves(x: rt.Interactions) -> tuple[rt.Interactions, rt.Interactions]:
    split = random_holdout(x, target_share=0.5)
    return split.inputs, split.targets


@pytest.mark.parametrize("protocol", [held_out_users, random_holdout])
def test_data_whose_users_have_one_item_each_leaves_nobody_to_test_on(protocol):
    with pytest.raises(rt.InputError, match="no user is left to test on"):
        protocol(rt.from_events(["a", "b"], ["x", "x"]))


@pytest.mark.parametrize("protocol", [held_out_users, random_holdout])
def test_the_seed_is_0_unless_another_is_given(protocol, board):
    drawn = [protocol(board, **seed).targets.items.tolist() for seed in ({}, {"seed": 0}, {"seed": 1})]
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_happens_at_the_cut_itself_has_to_be_found():
    """Eleven events at times 0 to 10: four fifths of the way from the first to the last is time 8."""
    split = temporal(rt.from_events([1] * 11, range(11), timestamp=range(11)), target_share=0.2)
    assert split.targets.item_ids[split.targets.items].tolist() == [8, 9, 10]


@pytest.mark.parametrize("where", ["what is shown of them", "what is trained on"])
def test_a_single_leak_is_found_and_named(where, club):
    people = club.take_users([0, 1])
    target = people.items == club.item_index(20)  # ann and bob have it
    of_ann = np.repeat(people.user_ids, people.events_per_user) == "ann"
    leaking, clean = people.keep_events(~target | of_ann), people.keep_events(~target)
    train, inputs = (leaking, clean) if where == "what is trained on" else (clean, leaking)
    with pytest.raises(rt.InputError, match=f"p leaks: 1 targets are in {where}, the first is item 20 of user ann"):
        Split("p", train, inputs, people.keep_events(target))


@pytest.mark.parametrize(("share", "targets"), [(0.01, 1), (0.5, 2), (0.99, 3)])
def test_of_a_user_at_least_one_item_has_to_be_found_and_never_all(share, targets):
    split = random_holdout(rt.from_events([1] * 4 + [2] * 2, [1, 2, 3, 4, 1, 2]), target_share=share)
    assert split.targets.events_per_user.tolist() == [targets, 1]
    assert split.inputs.events_per_user.tolist() == [4 - targets, 1]


def test_somebody_is_held_out_however_small_the_share(board):
    assert held_out_users(board, test_share=0.001).inputs.n_users == 1


def test_one_event_before_the_cut_and_a_new_one_after_it_are_enough():
    data = rt.from_events(list("aabbc"), [1, 2, 1, 2, 3], timestamp=[1, 9, 2, 9, 1])
    split = temporal(data, target_share=0.4)
    assert pairs(split.inputs) == {("a", 1), ("b", 1)}
    assert pairs(split.targets) == {("a", 2), ("b", 2)}
