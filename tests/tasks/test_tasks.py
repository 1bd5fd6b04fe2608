import numpy as np
import pytest
import torch

import recsys_tutorial as rt


def test_the_new_shelf_hides_items_from_everyone(movielens):
    task = rt.new_shelf(movielens, hidden=0.2, at_least=4, seed=1)
    shelf, known = set(task.targets.item_ids.tolist()), set(task.behaviour.item_ids.tolist())
    assert not shelf & known
    assert shelf | known == set(movielens.item_ids.tolist())
    assert len(shelf) == round(0.2 * movielens.n_items)
    # Y is exactly the ratings of 4 or more on the shelf
    columns = [movielens.item_index(int(item)) for item in task.targets.item_ids]
    assert task.targets.n_events == (movielens.matrix[:, columns].data >= 4).sum()
    assert len(task) == movielens.n_users


def test_the_shelf_follows_its_seed(movielens):
    first, second, other = (rt.new_shelf(movielens, seed=seed).targets.item_ids for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_ranking_quality_is_ndcg_and_nan_for_who_wants_nothing(club):
    wanted = club.keep_events(np.arange(club.n_events) < club.offsets[1])  # only the first user wants anything
    task = rt.RankingTask(club, wanted, k=1)
    quality = task.quality(wanted.matrix.toarray())
    assert quality[0] == 1
    assert np.isnan(quality[1:]).all()


def test_classification_and_regression_by_hand(club):
    n = club.n_users
    classes = np.arange(n) % 2
    task = rt.ClassificationTask(club, classes, n_classes=3)
    scores = np.eye(3)[classes]
    assert task.n_outputs == 3
    assert task.quality(scores).tolist() == [1] * n
    assert task.target_matrix().toarray().tolist() == scores.tolist()
    assert task.squared_loss(torch.tensor(scores), torch.tensor(classes)).item() == 0
    numbers = rt.RegressionTask(club, np.arange(n))
    assert numbers.quality(np.zeros((n, 1))).tolist() == (-(np.arange(n) ** 2.0)).tolist()
    assert numbers.take(np.array([1])).labels.tolist() == [1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: rt.ClassificationTask(x, np.zeros(1, int)), r"1 labels for \d+ users: give one label per user"),
        (
            lambda x: rt.ClassificationTask(x, np.full(x.n_users, 0.5)),
            r"labels of type float64: classes are whole numbers",
        ),
        (lambda x: rt.ClassificationTask(x, np.full(x.n_users, 2), 2), r"label 2 with n_classes=2: classes are 0 to 1"),
        (lambda x: rt.RegressionTask(x, np.full(x.n_users, np.nan)), r"label nan in row 0: labels need to be finite"),
        (lambda x: rt.RankingTask(x, x.take_users(np.array([0]))), r"behaviour has \d+ users and targets 1"),
        (lambda x: rt.new_shelf(x, hidden=1.0), r"hidden=1.0: it needs to be between 0 and 1"),
    ],
)
def test_bad_input(make, message, club):
    with pytest.raises(rt.InputError, match=message):
        make(club)


def test_the_threshold_follows_the_scale():
    from recsys_tutorial.tasks import liked_from

    assert liked_from(np.array([0.5, 5.0])) == 4
    assert liked_from(np.array([1.0, 10.0])) == 8
    assert liked_from(np.ones(3)) is None
    assert liked_from(np.array([1.0, 352698.0])) is None


def test_labels_of_another_kind_are_joined_by_raw_id():
    """History of users 1 to 3 on items a to e; ratings by user 3 and a stranger, on a catalogue in another order."""
    from dataclasses import replace

    views = rt.from_events([1, 1, 2, 3, 3], list("abcde"), name="views")
    ratings = rt.from_events([3, 3, 9, 3], ["e", "a", "a", "z"], [9.0, 5.0, 10.0, 10.0], name="ratings")
    task = rt.new_shelf(replace(views, labels=ratings), hidden=0.99, seed=0)
    shelf = task.targets.item_ids.tolist()
    assert task.targets.matrix.toarray()[:2].sum() == 0
    wanted = [item for item, has in zip(shelf, task.targets.matrix.toarray()[2], strict=True) if has]
    assert wanted == ["e"]  # the 5 is below 8 of 10, the stranger and item z are in nobody's history


def test_later_comes_after_earlier_and_seen_items_are_not_ranked(movielens):
    from recsys_tutorial.tasks import top_n

    task = top_n(movielens)
    before, after = task.behaviour, task.targets
    assert before.catalogue is after.catalogue
    last = before.timestamps[before.offsets[1:] - 1]
    for user in range(0, len(task), 50):
        mine = after.timestamps[after.offsets[user] : after.offsets[user + 1]]
        assert (mine >= last[user]).all()
    scores = np.zeros((1, before.n_items))
    scores[0, before.items[: before.offsets[1]]] = 9  # what the first user has already
    best = task.take(np.array([0]))
    wanted = best.targets.items
    scores[0, wanted] = 5
    assert best.quality(scores).tolist() == ([1.0] if len(wanted) else [])


def test_auc_of_several_classes_is_the_mean_over_pairs(club):
    scores = np.array([[3, 1, 2], [1, 2, 0], [0, 1, 2], [2, 1, 0], [0, 1, 0], [0, 2, 1.0]])
    task = rt.ClassificationTask(club, np.array([0, 1, 2, 0, 1, 2]))
    # classes 0 and 1 are told apart by s0 - s1: 2, 1 against -1, -1; 0 and 2 by s0 - s2: 1, 2 against -2, -1;
    # 1 and 2 by s1 - s2: 2, 1 against -1, 1, of which one pair is tied
    assert task.value(scores) == pytest.approx((1 + 1 + 3.5 / 4) / 3)
    assert task.value(scores + np.arange(6)[:, None]) == task.value(scores)  # a user's own level does not matter


def test_an_attribute_or_a_favourite_genre():
    from dataclasses import replace

    import pandas as pd

    from recsys_tutorial.tasks import classification, regression

    data = rt.from_events([1, 2, 3, 4], list("aabb"), [3.0, 5.0, 1.0, 4.0], name="shop")
    table = pd.DataFrame({"age": [20, 30, 40], "gender": ["F", None, "M"]}, index=[4, 2, 1])
    known = replace(data, user_attributes=table)
    task = classification(known)
    assert task.behaviour.user_ids.tolist() == [1, 4]
    assert task.labels.tolist() == [1, 0]
    assert classification(known, "age").labels.tolist() == [1, 0, 0] or len(classification(known, "age")) == 3
    with pytest.raises(rt.InputError, match=r"unknown attribute 'gendre': did you mean 'gender'\?"):
        classification(known, "gendre")
    with pytest.raises(rt.InputError, match="'shop' has neither user attributes nor genres"):
        classification(data)
    ratings = regression(data, "a")
    assert ratings.labels.tolist() == [3, 5]
    assert ratings.behaviour.item_ids.tolist() == ["b"]
    with pytest.raises(rt.InputError, match="'shop' has no ratings"):
        regression(data.binarise())
