"""The contract of every objective, and of the training around it."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.objectives import build_objective

# The data is tiny, a couple of steps an epoch: it wants a high rate.
QUICK = {"epochs": 60, "dim": 8, "learning_rate": 0.02, "seed": 0}


@pytest.fixture(scope="module")
def board() -> rt.Interactions:
    """Two groups of users on two groups of items: the structure is known, so what is learned can be checked."""
    rng = np.random.default_rng(0)
    users = [user for user in range(40) for _ in range(6)]
    items = [int(10 * (user % 2) + item) for user in range(40) for item in rng.permutation(10)[:6]]
    return rt.from_events(users, items, name="board")


@pytest.mark.parametrize("name", sorted(rt.OBJECTIVES))
class TestEveryObjective:
    def test_the_loss_is_finite_and_falls(self, name, board):
        history = rt.pretrain(name, board, **QUICK).history
        assert np.isfinite(history["loss"]).all()
        assert history["loss"].iloc[-1] < 0.9 * history["loss"].iloc[0]

    def test_gradients_reach_every_parameter_of_g(self, name, board):
        objective = build_objective(name, board, dim=8)
        objective.loss(rt.Batch.of(board)).backward()
        for parameter_name, parameter in objective.encoder.named_parameters():
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name

    def test_the_seed_decides(self, name, board):
        first, second, other = (rt.pretrain(name, board, epochs=3, dim=8, seed=seed) for seed in (1, 1, 2))
        for key, value in first.state_dict().items():
            assert torch.equal(value, second.state_dict()[key]), key
        assert not np.allclose(first.encode(board), other.encode(board))

    def test_one_and_two_threads_agree(self, name, board):
        vectors = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            vectors.append(rt.pretrain(name, board, epochs=10, dim=8, seed=0).encode(board))
        np.testing.assert_allclose(*vectors, atol=1e-4)

    def test_odd_users(self, name, board):
        objective = build_objective(name, board, dim=8)
        odd = rt.Batch.from_lists([[3], [], [5, 5, 5], list(range(20))])
        assert torch.isfinite(objective.loss(odd))
        assert torch.isfinite(objective.encoder(odd)).all()
        assert torch.isfinite(objective.loss(rt.Batch.from_lists([[]])))

    def test_two_groups_come_apart(self, name, board):
        vectors = rt.pretrain(name, board, **QUICK).encode(board)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        group = np.array([user % 2 for user in board.user_ids])
        same = (vectors @ vectors.T)[group[:, None] == group].mean()
        across = (vectors @ vectors.T)[group[:, None] != group].mean()
        assert same > across + 0.3

    def test_saved_and_loaded_it_scores_the_same(self, name, board, tmp_path):
        model = rt.pretrain(name, board, epochs=2, dim=8)
        rt.save_model(tmp_path, model)
        np.testing.assert_array_equal(rt.load_model(tmp_path).score(board), model.score(board))

    def test_it_ranks_the_users_own_group_first(self, name, board):
        model = rt.pretrain(name, board, **QUICK)
        if model.classifier is None:
            pytest.skip("this objective scores no items")
        scores = model.score(rt.Batch.from_lists([[0, 1, 2], [10, 11, 12]]))
        assert set(rt.metrics.top_k(scores, 10)[0]) == set(range(10))
        assert set(rt.metrics.top_k(scores, 10)[1]) == set(range(10, 20))


def test_resume_after_an_interruption_ends_with_the_same_weights(board, tmp_path, monkeypatch):
    torch.set_num_threads(1)
    whole = rt.pretrain("denoising", board, epochs=6, dim=8, seed=4, checkpoint=tmp_path / "whole")
    from recsys_tutorial import checkpoints

    save = checkpoints.save_progress

    def stop_after_three(folder, state, origin):
        save(folder, state, origin)
        if state.epoch == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save_progress", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        rt.pretrain("denoising", board, epochs=6, dim=8, seed=4, checkpoint=tmp_path / "cut")
    monkeypatch.undo()
    resumed = rt.pretrain("denoising", board, epochs=6, dim=8, seed=4, checkpoint=tmp_path / "cut", resume=True)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    assert sorted(path.suffix for path in (tmp_path / "cut").iterdir()) == [".json", ".safetensors"]


def test_a_killed_process_resumes_to_the_same_weights(board, tmp_path):
    path = tmp_path / "log.csv"
    rows = [f"{board.user_ids[user]},{item}" for user in range(board.n_users)
            for item in board.item_ids[board.items[board.offsets[user]:board.offsets[user + 1]]]]  # fmt: skip
    path.write_text("user,item\n" + "\n".join(rows) + "\n")
    command = [sys.executable, "-m", "recsys_tutorial", "pretrain", str(path), "--epochs", "80", "--dim", "8",
               "--threads", "1"]  # fmt: skip
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    process = subprocess.Popen([*command, "--out", str(tmp_path / "cut")], stderr=subprocess.DEVNULL, env=environment)
    while not (tmp_path / "cut" / "training.json").exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "cut" / "model.json").exists()
    for folder, more in (("cut", ["--resume"]), ("whole", [])):
        subprocess.run(
            [*command, "--out", str(tmp_path / folder), *more], check=True, capture_output=True, env=environment
        )
    cut, whole = (rt.load_model(tmp_path / folder).state_dict() for folder in ("cut", "whole"))
    assert all(torch.equal(cut[key], whole[key]) for key in whole)


def test_resume_refuses_other_settings_and_other_data(board, tmp_path):
    from recsys_tutorial import checkpoints
    from recsys_tutorial.training import Progress

    checkpoints.save_progress(tmp_path, Progress(1, [], {"module.x": torch.zeros(1)}), {"seed": 0, "epochs": 5})
    with pytest.raises(
        rt.InputError, match=r"cannot resume .*epochs was 5, now 6\. Use the same settings, or another folder"
    ):
        checkpoints.load_progress(tmp_path, {"seed": 0, "epochs": 6})


def test_validation_keeps_the_best_epoch(board):
    history = rt.pretrain("denoising", board, epochs=5, dim=8, validation=0.25).history
    assert history["validation"].notna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(objective="denosing"), r"unknown objective 'denosing': did you mean 'denoising'\?"),
        (dict(objective="denoising", dropout=1.0), r"dropout=1.0: it needs to be at least 0 and below 1"),
        (dict(objective="denoising", epochs=0), r"epochs=0"),
        (dict(objective="denoising", dim=0), r"dim=0"),
        (dict(objective="denoising", seed=-1), r"seed=-1"),
        (dict(objective="denoising", validation=1.0), r"validation=1.0: it needs to be at least 0 and below 1"),
        (dict(objective=rt.Denoising(rt.BagEncoder(3, 2))), r"g was built for 3 items, 'board' has 20"),
    ],
)
def test_bad_input(arguments, message, board):
    with pytest.raises(rt.InputError, match=message):
        rt.pretrain(arguments.pop("objective"), board, **arguments)


OUTSIDE = '''
"""An objective of one's own: the plain autoencoder."""
from torch import nn
import recsys_tutorial as rt
from recsys_tutorial.losses import multinomial_loss


class Plain(rt.Objective):
    name = "plain-test"

    def __init__(self, encoder):
        super().__init__(encoder)
        self.decoder = nn.Linear(encoder.dim, encoder.n_items)

    def loss(self, batch):
        return multinomial_loss(self.decoder(self.encoder(batch)), batch)

    def head(self):
        return self.decoder
'''


def test_an_objective_in_an_outside_file_is_known_by_its_name(board, tmp_path, monkeypatch):
    (tmp_path / "outside_objective.py").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(rt.OBJECTIVES)
    try:
        import outside_objective  # noqa: F401

        model = rt.pretrain("plain-test", board, epochs=10, dim=8)
        assert model.history["loss"].iloc[-1] < model.history["loss"].iloc[0]
    finally:
        rt.OBJECTIVES.clear()
        rt.OBJECTIVES.update(before)
