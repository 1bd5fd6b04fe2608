"""Target behaviour: what counts as it, who has it, and that nothing of it is shown."""

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.data.splits import some_events
from recsys_tutorial.tasks import classification

ROWS = """user,item,event
1,a,view
1,b,view
1,b,cart
1,b,purchase
1,c,view
1,d,view
2,a,view
2,c,view
2,c,cart
2,b,view
"""


@pytest.fixture
def shop(tmp_path) -> rt.Interactions:
    path = tmp_path / "log.csv"
    path.write_text(ROWS)
    return rt.read_interactions(path, behaviour="event")


def test_a_column_says_which_kind_a_row_is(shop):
    assert list(shop.kinds) == ["view", "cart", "purchase"]
    assert (shop.n_events, shop.kinds["cart"].n_events, shop.kinds["purchase"].n_events) == (7, 2, 1)
    assert shop.name == "log.csv"


@pytest.mark.parametrize(("target", "pairs"), [
    (None, {(1, "b"), (2, "c")}), ("behaviour=purchase", {(1, "b")}), ("behaviour=cart+purchase", {(1, "b"), (2, "c")}),
])  # fmt: skip
def test_a_target_names_kinds_and_none_means_all_but_the_commonest(shop, target, pairs):
    labels = rt.with_target(shop, target).labels
    users = labels.user_ids[np.repeat(np.arange(labels.n_users), labels.events_per_user)]
    assert set(zip(users.tolist(), labels.item_ids[labels.items].tolist(), strict=True)) == pairs
    assert set(labels.weights) == {1.0}


@pytest.mark.parametrize(("target", "said"), [
    ("behaviour=view", "target behaviour"), ("behaviour=sale", "target behaviour"), ("bought", "write it as rating>=4"),
])  # fmt: skip
def test_what_is_no_target_is_refused(shop, target, said):
    with pytest.raises(rt.InputError, match=said):
        rt.with_target(shop, target)


def test_one_kind_of_behaviour_has_no_target(board):
    with pytest.raises(rt.InputError, match="'board' has one kind of behaviour: a target needs ratings"):
        rt.target_behaviour(board)


def test_a_column_of_many_values_is_no_kind(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,event\n" + "\n".join(f"{n},a,e{n}" for n in range(30)))
    with pytest.raises(rt.InputError, match="has 30 values: is it a kind of event"):
        rt.read_interactions(path, behaviour="event")


def test_ratings_from_a_threshold_are_the_target(club):
    assert rt.with_target(club, "rating>=4.5").labels.n_events == 5
    assert rt.with_target(club).labels.n_events == 9  # from 4 of 5


def test_the_later_items_that_got_the_target_are_wanted_and_not_shown(movielens):
    task = rt.target_behaviour(movielens, seed=3)
    liked = movielens.binarise(4).matrix
    assert len(task) == movielens.n_users
    assert task.without_seen
    assert not task.behaviour.matrix.multiply(task.targets.matrix).nnz
    rows = task.behaviour.user_ids.tolist()
    assert rows == movielens.user_ids[movielens.events_per_user > 1].tolist()
    liked = liked[[movielens.user_index(raw) for raw in rows]]
    assert liked.multiply(task.targets.matrix).nnz == task.targets.n_events
    share = task.behaviour.n_events / movielens.n_events
    assert share == pytest.approx(0.7, abs=0.01)
    assert 0 < len(task.with_labels()) < len(task)


def test_some_events_are_shown(movielens):
    three = some_events(movielens, 3, seed=1)
    assert set(three.events_per_user) == {3}
    assert not np.array_equal(three.items, some_events(movielens, 3, seed=2).items)
    np.testing.assert_array_equal(three.items, some_events(movielens, 3, seed=1).items)
    whole = some_events(movielens, 10**6)
    np.testing.assert_array_equal(whole.items, movielens.items)
    with pytest.raises(rt.InputError, match="0 events shown"):
        some_events(movielens, 0)


def test_an_attribute_is_cut_where_it_says():
    from dataclasses import replace

    import pandas as pd

    people = rt.from_events([1, 2, 3, 4, 5, 6], [1] * 6)
    ages = pd.DataFrame({"age": [10, 20, 35, 50, None, 70]}, index=[1, 2, 3, 4, 5, 6])
    people = replace(people, user_attributes=ages)
    task = classification(people, "age>=35")
    assert task.labels.tolist() == [0, 0, 1, 1, 1]
    assert task.behaviour.user_ids.tolist() == [1, 2, 3, 4, 6]
    with pytest.raises(rt.InputError, match="'old' is no number"):
        classification(people, "age>=old")
