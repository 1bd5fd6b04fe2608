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
