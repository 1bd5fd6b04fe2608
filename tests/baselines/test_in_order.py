"""SLIST and blends: what follows what, by hand and against a dense solution."""

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.data.splits import leave_one_out
from recsys_tutorial.evaluation.by_name import warn_of_leak


def histories(path, lines: list[str]) -> rt.Interactions:
    path.write_text("\n".join(lines) + "\n")
    return rt.read_interactions(path)


@pytest.fixture(scope="module")
def circle(tmp_path_factory) -> rt.Interactions:
    """Everybody walks round a circle of 12 items, from wherever they begin."""
    rng = np.random.default_rng(0)
    starts = rng.integers(12, size=80)
    lines = [" ".join(map(str, [user, *((start + np.arange(6)) % 12 + 1)])) for user, start in enumerate(starts)]
    return histories(tmp_path_factory.mktemp("circle") / "circle.txt", lines)


def test_slist_solves_its_equation(tmp_path):
    data = histories(tmp_path / "few.txt", ["1 1 2 3", "2 2 1 2 4", "3 3 4"])
    model = rt.SLIST(decay=2.0, together=0.5, regularisation=1.5, successors=4).fit(data)
    x, y = np.zeros((6, 4)), np.zeros((6, 4))
    at = 0
    for history in ([0, 1, 2], [1, 0, 1, 3], [2, 3]):
        for now in range(len(history) - 1):
            for back in range(now + 1):
                x[at, history[now - back]] += np.exp(-back / 2)
            y[at, history[now + 1]] = 1
            at += 1
    sets = np.array([[1, 1, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1]])
    met = sets.T @ sets
    left = x.T @ x + 0.5 * met + 1.5 * np.eye(4)
    right = x.T @ y + 0.5 * (met - np.diag(np.diag(met)))
    np.testing.assert_allclose(model.b.toarray(), np.linalg.solve(left, right), atol=1e-5)
    shown = rt.Batch.from_lists([[1, 0], [], [2]])
    weighted = np.array([[1, np.exp(-1 / 2), 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
    np.testing.assert_allclose(model.score(shown), weighted @ np.linalg.solve(left, right), atol=1e-5)


def test_slist_knows_what_follows_where_ease_does_not(circle):
    split = leave_one_out(circle)
    models = {"slist": rt.SLIST().fit(split.train), "ease": rt.EASE(1.0).fit(split.train)}
    slist, ease = rt.evaluate(models, split, "hit_rate", 1)["value"]
    assert slist == 1.0
    assert ease < 0.8


def test_slist_keeps_the_strongest_successors(circle):
    model = rt.SLIST(successors=2).fit(circle)
    assert (np.diff(model.b.indptr) == 2).all()
    whole = rt.SLIST(successors=12).fit(circle).b.toarray()
    np.testing.assert_allclose(model.b.toarray().sum(1), np.sort(whole, axis=1)[:, -2:].sum(1), atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"decay": 0}, "decay=0"), ({"regularisation": -1}, "regularisation=-1"), ({"together": -1}, "together=-1"),
     ({"successors": 0}, "successors=0")],
)  # fmt: skip
def test_slist_refuses(wrong, said):
    with pytest.raises(rt.InputError, match=said):
        rt.SLIST(**wrong)


def test_repeats_in_a_history_leave_the_batch_as_it_is(tmp_path):
    batch = rt.Batch.of(histories(tmp_path / "twice.txt", ["1 1 1 2", "2 2 1"]))
    offsets, items = batch.offsets.clone(), batch.items.clone()
    rt.ItemKNN().fit(histories(tmp_path / "again.txt", ["1 1 2", "2 2 1"])).score(batch)
    assert batch.offsets.equal(offsets)
    assert batch.items.equal(items)


def test_validation_asks_for_the_second_last_event_and_sees_nothing_later(circle):
    split = leave_one_out(circle)
    asked = split.validation
    assert asked is not None
    for user in range(circle.n_users):
        begin, end = circle.offsets[user : user + 2]
        assert asked.targets.items[user] == circle.items[end - 2]
        assert (asked.inputs.items[asked.inputs.offsets[user] : asked.inputs.offsets[user + 1]]
                == circle.items[begin : end - 2]).all()  # fmt: skip
    assert leave_one_out(circle, refit=True).validation is None


def test_a_blend_takes_what_validation_says(circle):
    split = leave_one_out(circle)
    slist, popularity = rt.SLIST().fit(split.train), rt.Popularity().fit(split.train)
    blend = rt.Blend.chosen([slist, popularity], split.validation)
    assert blend.weights == [1.0, 0.0]  # nothing to be gained, so nothing is blended in
    other = rt.Blend.chosen([popularity, slist], split.validation)
    assert other.weights[1] > 0
    values = rt.evaluate({"popularity": popularity, "blend": other}, split, "ndcg", 10)["value"]
    assert values[1] > values[0] + 0.1
    shown = split.inputs
    np.testing.assert_allclose(
        other.score(shown), popularity.score(shown) + other.weights[1] * slist.score(shown), rtol=1e-4, atol=1e-5
    )
    with pytest.raises(rt.InputError, match="1 models and 2 weights"):
        rt.Blend([slist], [1, 2])


def test_next_item_starts_where_counting_puts_the_items(circle):
    how = {"epochs": 1, "learning_rate": 1e-9, "dim": 8, "seed": 0}
    counted = rt.pretrain("counting", circle, dim=8, seed=0).feature_extractor.item_vectors.detach()
    begun = rt.pretrain("next-item", circle, start="co-occurrence", **how).feature_extractor.item_vectors.detach()
    np.testing.assert_allclose(begun, counted / counted.norm(dim=1, keepdim=True), atol=1e-4)
    with pytest.raises(rt.InputError, match="unknown start 'co-ocurrence': did you mean 'co-occurrence'"):
        rt.pretrain("next-item", circle, start="co-ocurrence", **how)


def test_a_blend_with_a_model_of_the_whole_data_is_said_to_leak(circle, capsys):
    whole = rt.pretrain("counting", circle, dim=8)
    split = leave_one_out(circle)
    fair = rt.SLIST().fit(split.train)
    assert warn_of_leak("slist+DIR", rt.Blend([fair, whole], [1, 1]), circle)
    assert "careful: slist+DIR was trained on all of" in capsys.readouterr().err
    assert not warn_of_leak("slist", rt.Blend([fair, fair], [1, 1]), circle)
