import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

import recsys_tutorial as rt
from recsys_tutorial.engine.ridge import STRENGTHS, ridge_head
from recsys_tutorial.learning.finetuning import RECIPES


def board(n_users: int = 40) -> rt.Interactions:
    """Users of two groups, each with 6 of the 10 items of its group."""
    rng = np.random.default_rng(0)
    users = [user for user in range(n_users) for _ in range(6)]
    items = [int(10 * (user % 2) + item) for user in range(n_users) for item in rng.permutation(10)[:6]]
    return rt.from_events(users, items, name="board")


@pytest.fixture(scope="module")
def behaviour() -> rt.Interactions:
    return board()


@pytest.fixture(scope="module")
def pretrained(behaviour) -> rt.PretrainedModel:
    return rt.pretrain("denoising", behaviour, epochs=40, dim=6, learning_rate=0.02)


@pytest.fixture(scope="module")
def tasks(behaviour) -> dict[str, rt.RankingTask | rt.ClassificationTask | rt.RegressionTask]:
    group = np.arange(behaviour.n_users) % 2
    wanted = rt.from_events(behaviour.user_ids, [f"new {g}" for g in group])
    return {
        "ranking": rt.RankingTask(behaviour, wanted, k=1),
        "classification": rt.ClassificationTask(behaviour, group),
        "regression": rt.RegressionTask(behaviour, 3.0 + group),
    }


KINDS = ("ranking", "classification", "regression")


@pytest.mark.parametrize("strategy", RECIPES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_strategy_learns_every_task(kind, strategy, pretrained, tasks):
    task = tasks[kind]
    rate = {"full": 0.003, "probe": None}.get(strategy, 0.03)
    f = rt.finetune(pretrained, task.take(np.arange(20)), strategy, learning_rate=rate, epochs=40, batch_size=5)
    rest = task.take(np.arange(20, 40))
    quality = np.mean(rest.quality(f.score(rest.behaviour)))
    assert quality > {"ranking": 0.95, "classification": 0.95, "regression": -0.1}[kind]


@pytest.mark.parametrize("strategy", ["probe", "frozen"])
def test_frozen_means_bit_equal(strategy, pretrained, tasks):
    f = rt.finetune(pretrained, tasks["classification"], strategy)
    for name, value in pretrained.feature_extractor.state_dict().items():
        assert torch.equal(value, f.feature_extractor.state_dict()[name]), name
    assert all(parameter.requires_grad for parameter in f.parameters())


@pytest.mark.parametrize("strategy", ["lora", "layerwise", "full", "scratch"])
def test_g_moves_and_the_pretrained_model_does_not(strategy, pretrained, tasks):
    before = {name: value.clone() for name, value in pretrained.state_dict().items()}
    f = rt.finetune(pretrained, tasks["ranking"], strategy, validation=0)  # with it, a perfect probe is not moved
    assert not torch.equal(f.feature_extractor.item_vectors, pretrained.feature_extractor.item_vectors)
    assert all(torch.equal(value, before[name]) for name, value in pretrained.state_dict().items())


def test_scratch_takes_nothing_but_the_shape(pretrained, tasks, behaviour):
    g = rt.BagEncoder(**pretrained.feature_extractor.config)
    blank = rt.PretrainedModel.compose(g, nn.Linear(6, 2), catalogue=behaviour.catalogue)
    scores = [rt.finetune(model, tasks["ranking"], "scratch", seed=3).score(behaviour) for model in (pretrained, blank)]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("strategy", RECIPES)
def test_the_seed_decides(strategy, pretrained, tasks, behaviour):
    first, second = (rt.finetune(pretrained, tasks["ranking"], strategy, seed=1).score(behaviour) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_validation_chooses_the_epoch(pretrained, tasks):
    f = rt.finetune(pretrained, tasks["ranking"], "frozen", validation=0.25, epochs=5, seed=0)
    assert f.history["validation"].between(-1, 0).all()


def test_a_probe_equals_scikit_learns_ridge():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    from scipy.sparse import csr_array

    head = ridge_head(z, csr_array(y), strengths=(0.5,))
    unit = np.linalg.svd(z - z.mean(0), compute_uv=False).__pow__(2).mean()
    oracle = Ridge(alpha=0.5 * unit).fit(z, y)
    with torch.no_grad():
        np.testing.assert_allclose(head(torch.tensor(z).float()).numpy(), oracle.predict(z), atol=1e-5)


def test_noise_asks_for_a_strong_ridge_and_signal_for_a_weak_one():
    from scipy.sparse import csr_array

    rng = np.random.default_rng(0)
    z = rng.normal(size=(40, 20))
    w = rng.normal(size=(20, 2))
    size = [
        ridge_head(z, csr_array(y), strengths=STRENGTHS).weight.norm().item() for y in (z @ w, rng.normal(size=(40, 2)))
    ]
    assert size[0] > 0.95 * np.linalg.norm(w)
    assert size[1] < 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(strategy="ful"), r"unknown strategy 'ful': did you mean 'full'\?"),
        (dict(validation=1.0), r"validation=1.0: it needs to be at least 0 and below 1"),
        (dict(epochs=-1), r"epochs=-1: it needs to be a whole number of at least 1"),
    ],
)
def test_bad_settings(change, message, pretrained, tasks):
    with pytest.raises(rt.InputError, match=message):
        rt.finetune(pretrained, tasks["ranking"], **change)


def test_too_few_labels_and_another_catalogue(pretrained, tasks):
    with pytest.raises(rt.InputError, match="3 labelled users: fine-tuning needs at least 5"):
        rt.finetune(pretrained, tasks["ranking"].take(np.arange(3)))
    other = rt.from_events([user for user in range(6)], ["x"] * 6, name="other shop")
    with pytest.raises(rt.InputError, match=r"the task's 'other shop' has another catalogue"):
        rt.finetune(pretrained, rt.ClassificationTask(other, np.zeros(6, int)))


def test_layerwise_moves_lower_layers_more_gently(pretrained, tasks, monkeypatch):
    from recsys_tutorial.learning import finetuning

    deep = rt.PretrainedModel.compose(rt.BagEncoder(20, 6, hidden=(5,)), None, catalogue=pretrained.catalogue)
    seen = []
    fit = finetuning.fit
    monkeypatch.setattr(finetuning, "fit", lambda *a, **k: seen.append(k["parameter_groups"]) or fit(*a, **k))
    rt.finetune(deep, tasks["ranking"], "layerwise", epochs=1, validation=0)
    (groups,) = seen
    assert [group["scale"] for group in groups] == pytest.approx([1, 0.3, 0.09])
    shapes = [[tuple(p.shape) for p in group["params"]] for group in groups]
    assert shapes == [[(2, 6), (2,)], [(6, 5), (6,)], [(20, 5), (5,)]]  # h, then g from its output down


@pytest.mark.parametrize("strategy", ["layerwise", "full"])
def test_where_no_epoch_helps_the_probe_stays(strategy, pretrained, tasks):
    probe, tuned = (rt.finetune(pretrained, tasks["ranking"], name) for name in ("probe", strategy))
    assert torch.equal(probe.classifier.weight, tuned.classifier.weight)  # it was perfect already
    assert len(tuned.history) > 0  # and this is how it was found out


def test_the_number_of_epochs_is_chosen_without_the_held_out_users(pretrained, tasks, monkeypatch):
    from recsys_tutorial.learning import finetuning

    fitted = []
    fit = finetuning.fit

    def watched(module, loss_of, examples, settings, **how):
        fitted.append((len(examples), settings.epochs))
        return fit(module, loss_of, examples, settings, **how)

    monkeypatch.setattr(finetuning, "fit", watched)
    f = rt.finetune(pretrained, tasks["regression"], "frozen", validation=0.25, epochs=6, patience=None)
    best = int(f.history["epoch"][f.history["validation"].idxmin()])
    assert fitted == [(30, 6), (40, best)]


def test_a_head_that_scores_the_very_items_is_trained_further(pretrained, behaviour):
    task = rt.RankingTask(behaviour, behaviour, k=5)
    f = rt.finetune(pretrained, task, "full", epochs=1, validation=0, learning_rate=1e-9)
    torch.testing.assert_close(f.classifier.weight, pretrained.classifier.weight)
