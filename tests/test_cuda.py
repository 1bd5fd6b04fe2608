"""A GPU against the CPU: the same losses, gradients, files and measures. TEST_DEVICE=cpu runs all of it without one."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.benchmark.hardware import Meter, epoch_over_floor
from recsys_tutorial.data.splits import held_out_users
from recsys_tutorial.encoders import FeatureEncoder
from recsys_tutorial.engine.settings import seeded
from recsys_tutorial.objectives import build_objective
from recsys_tutorial.objectives.from_features import FromFeatures

DEVICE = os.environ.get("TEST_DEVICE", "cuda")
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="no GPU on this machine"),
]
TRAINED = [name for name, objective in sorted(rt.OBJECTIVES.items()) if not objective.closed_form]
SOLVED = sorted(set(rt.OBJECTIVES) - set(TRAINED))
# Dropout inside the Transformer is drawn on the device.
OPTIONS = {name: {"dropout": 0.0} for name in ("next-item", "masked-item")}
SAMPLED = {"sampled_softmax": 9}
CASES = [(name, OPTIONS.get(name, {})) for name in TRAINED] + [
    ("denoising", {"loss": "multinomial"}), ("denoising", {"loss": "multinomial"} | SAMPLED),
    ("next-item", {"dropout": 0.0} | SAMPLED), ("denoising", {"weighting": "idf"}),
]  # fmt: skip
each = pytest.mark.parametrize(("name", "options"), CASES, ids=lambda one: str(one))


def pretrained(name, board, device=DEVICE, **how):
    return rt.pretrain(name, board, **{"dim": 8, "epochs": 2, "seed": 1, "progress": False} | how, device=device)


@each
def test_a_step_on_a_gpu_is_that_of_the_cpu(board, name, options):
    """Loss and gradients of one batch; then the weights after two epochs."""
    found = {}
    for device in (DEVICE, "cpu"):
        with seeded(3):
            built = build_objective(name, board, 8, **options).to(device)
            loss = built(built.examples(rt.Batch.of(board)).to(device))
            loss.backward()
        grads = [p.grad.to_dense().cpu() if p.grad is not None else None for p in built.parameters()]
        found[device] = loss.item(), grads, pretrained(name, board, device, **options).state_dict()
    (loss, grads, weights), (expected, same, kept) = found[DEVICE], found["cpu"]
    assert loss == pytest.approx(expected, rel=1e-4)
    for grad, other in zip(grads, same, strict=True):
        torch.testing.assert_close(grad, other, rtol=1e-3, atol=1e-5)
    for key, value in kept.items():
        if not key.endswith("to_qkv.bias"):  # a key's bias has no gradient but rounding, which Adam makes large
            torch.testing.assert_close(weights[key].cpu(), value, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", SOLVED)
def test_what_is_solved_is_the_same_on_a_gpu(board, name):
    here, there = (pretrained(name, board, device).cpu().score(board) for device in (DEVICE, "cpu"))
    np.testing.assert_allclose(here, there, atol=1e-3)


@each
def test_the_same_seed_gives_the_same_on_a_gpu(board, name, options):
    first, second = (pretrained(name, board, **options) for _ in range(2))
    assert first.history["loss"].tolist() == pytest.approx(second.history["loss"].tolist(), rel=1e-5)
    np.testing.assert_allclose(first.score(board), second.score(board), rtol=1e-3, atol=1e-4)


def test_features_on_a_gpu_begin_as_on_the_cpu(board):
    features = torch.eye(20)
    here, there = (
        rt.pretrain(FromFeatures(FeatureEncoder.of(features, 8)), board, epochs=2, device=device, progress=False)
        for device in (DEVICE, "cpu")
    )
    assert here.history["loss"].tolist() == pytest.approx(there.history["loss"].tolist(), rel=1e-4)


@pytest.mark.parametrize("name", ["denoising", "next-item", "linear"])
def test_a_model_made_on_a_gpu_is_read_on_the_cpu_and_back(board, tmp_path, name):
    model = pretrained(name, board, **OPTIONS.get(name, {}))
    rt.save_model(tmp_path, model)
    read = rt.load_model(tmp_path)
    assert read.device.type == "cpu"
    np.testing.assert_allclose(read.score(board), model.score(board), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(read.to(DEVICE).score(board), model.score(board))


def test_a_training_begun_on_a_gpu_goes_on_on_the_cpu(board, tmp_path):
    from recsys_tutorial.learning import checkpoints

    save, keep = checkpoints.save_progress, checkpoints.save_model

    def once(folder, state, origin):
        if state.epoch == 1:
            save(folder, state, origin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "save_progress", once)
        patch.setattr(checkpoints, "save_model", lambda *_: None)
        whole = pretrained("denoising", board, checkpoint=tmp_path)
    assert checkpoints.save_model is keep
    resumed = pretrained("denoising", board, "cpu", checkpoint=tmp_path, resume=True)
    assert resumed.history["loss"].tolist() == pytest.approx(whole.history["loss"].tolist(), rel=1e-4)


@pytest.mark.parametrize("name", ["denoising", "next-item"])
def test_measures_on_a_gpu_are_those_of_the_cpu(board, name):
    split = held_out_users(board, seed=0)
    model = pretrained(name, split.train, epochs=5, **OPTIONS.get(name, {}))
    here = rt.evaluate(model, split, ("ndcg", "recall"), 5, progress=False)["value"].to_numpy()
    there = rt.evaluate(model.cpu(), split, ("ndcg", "recall"), 5, progress=False)["value"].to_numpy()
    np.testing.assert_allclose(here, there, atol=1e-6)


def test_labels_are_learned_on_a_gpu(board):
    task = rt.new_shelf(board, seed=0)
    model = pretrained("denoising", task.behaviour)
    for strategy in ("probe", "full", "layerwise"):
        tuned = rt.finetune(model, task, strategy=strategy, epochs=2, device=DEVICE, progress=False)
        assert np.isfinite(tuned.score(task.behaviour)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_an_epoch_is_held_against_the_rates_of_its_device(board, dtype):
    found = epoch_over_floor(build_objective("denoising", board, 8), board, Meter(64, 2**12, DEVICE, dtype), 2, seed=0)
    assert found["value"] > 0
    assert found["flops"] > 0
