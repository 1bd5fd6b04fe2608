"""Pretraining that goes on: from the very weights, for the items there were and those that are new."""

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.joining import joined, place_of
from recsys_tutorial.learning import updating
from recsys_tutorial.objectives import build_objective

GO_ON = ("autoencoder", "denoising", "adversarial", "item2vec", "next-item", "masked-item")


def part(items: range, users: range, seed: int) -> rt.Interactions:
    """Users of two tastes: each has six of the even items, or of the odd ones."""
    rng = np.random.default_rng(seed)
    rows = [(u, i) for u in users for i in rng.permutation([i for i in items if i % 2 == u % 2])[:6].tolist()]
    titles = {item: f"item number {item}" for item in items}
    return rt.from_events(*zip(*rows, strict=True), titles=titles, in_order=True, name=f"part {seed}")


@pytest.fixture(scope="module")
def before() -> rt.Interactions:
    return part(range(0, 24), range(40), 0)


@pytest.fixture(scope="module")
def more() -> rt.Interactions:
    """New users and old ones, on items of which the lowest and the highest are new."""
    return part(range(-4, 28), range(30, 60), 1)


def short(name: str, data: rt.Interactions, **how) -> rt.PretrainedModel:
    how |= {"dropout": 0.0} if name in ("next-item", "masked-item") else {}
    return rt.pretrain(name, data, epochs=2, dim=8, progress=False, **how)


@pytest.mark.parametrize("name", GO_ON)
def test_it_begins_where_the_model_ended(name, before, more):
    """Before its first step the objective's g and h say of old users, of old items, what the model says."""
    model, everything = short(name, before), joined(before, more)
    built = build_objective(name, everything, 8, **model.origin["options"])
    updating.take_up(built, model, everything)
    places = place_of(before.item_ids, everything.item_ids)
    assert len(everything.item_ids) > len(places)
    batch = rt.Batch.of(before)
    moved = rt.Batch(torch.from_numpy(places)[batch.items], batch.offsets, batch.weights)
    with torch.no_grad():
        scores = built.eval().head()(built.feature_extractor()(moved)).numpy()[:, places]
    expected = model.score(before)
    if name == "item2vec":  # how often an item occurs is counted anew: the same shift for everybody
        scores, expected = scores - scores[:1], expected - expected[:1]
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", GO_ON)
def test_new_items_are_learned_and_the_old_model_stays(name, before, more):
    model = short(name, before)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    found = rt.update(model, before, more, epochs=2, progress=False)
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    assert found.catalogue.ids.tolist() == list(range(-4, 28))
    assert found.catalogue.titles[0] == "item number -4"
    assert found.score(joined(before, more)).shape == (60, 32)
    assert found.origin["epochs"] == 2
    assert found.origin["updated"].startswith(
        "by 180 events of 'part 1' (8 new items, 20 new users), 2 epochs at a rate"
    )
    again = rt.update(model, before, more, epochs=2, progress=False)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in found.state_dict().items())


def test_it_tells_the_tastes_of_new_items_apart(before, more):
    model = rt.pretrain("denoising", before, dim=16, progress=False)
    found = rt.Recommender(rt.update(model, before, more, epochs=60, learning_rate=0.01, progress=False))
    new = np.isin(found.outputs.ids, [-4, -3, -2, -1, 24, 25, 26, 27])
    assert set(found.recommend([0, 2, 4], k=4, among=new)["item"]) == {-4, -2, 24, 26}
    assert set(found.recommend([1, 3, 5], k=4, among=new)["item"]) == {-3, -1, 25, 27}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("linear", "'linear' is solved, not trained: pretrain anew on both files together"),
        ("counting", "'counting' is solved, not trained"),
        ("variational", "'variational' keeps too little of its training to go on with it: pretrain anew"),
        ("contrastive", "'contrastive' keeps too little"),
        ("content2vec", "'content2vec' keeps too little"),
    ],
)
def test_what_cannot_go_on_says_so(name, message, before, more):
    model = rt.pretrain(name, before, epochs=1, dim=8, progress=False)
    with pytest.raises(rt.InputError, match=message):
        rt.update(model, before, more, progress=False)


def test_other_data_nothing_new_and_other_models_are_refused(before, more):
    model = short("denoising", before)
    with pytest.raises(rt.InputError, match="'part 1' has another catalogue"):
        rt.update(model, more, before)
    with pytest.raises(rt.InputError, match="'part 0' holds nothing that is not in 'part 0' already"):
        rt.update(model, before, before)
    tuned = rt.finetune(model, rt.ClassificationTask(before, before.user_ids % 2), "probe")
    with pytest.raises(rt.InputError, match="this model was fine-tuned: update the pretrained one"):
        rt.update(tuned, before, more)
    with pytest.raises(rt.InputError, match="does not say what it was pretrained with"):
        rt.update(rt.PretrainedModel(4, 3, 2), before, more)
