"""Several processes on loopback against one; a GPU against the CPU where there is one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import processes
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROWS, lists, numbered

import recsys_tutorial as rt
from recsys_tutorial.cli.main import main
from recsys_tutorial.engine import processes as distributed
from recsys_tutorial.engine import sharded_parameters as rows
from recsys_tutorial.learning import checkpoints

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
PRETRAIN = ["-m", "recsys_tutorial", "pretrain", "movielens-small", "--dim", "8"]


# ---- shares of a batch, without processes -------------------------------------------------------------------------


@given(ROWS, st.integers(1, 4), st.floats(0, 1), st.integers(0, 100))
def test_shares_hide_what_the_whole_batch_hides(rows, of, rate, seed):
    batch = numbered(rows)

    def draw(one):
        torch.manual_seed(seed)
        return [*map(lists, one.hide(rate)), one.draw_per_user(2, draw=torch.randn).tolist()]

    shares = [draw(batch.share(number, of)) for number in range(of)]
    for whole, parts in zip(draw(batch), zip(*shares, strict=True), strict=True):
        assert [row for part in parts for row in part] == whole


@given(ROWS, st.integers(1, 4), st.integers(1, 2), st.sampled_from([None, 1, 2]))
def test_shares_draw_the_pairs_of_the_whole_batch(rows, of, n, window):
    from recsys_tutorial.objectives.item2vec import pairs

    def draw(one):
        torch.manual_seed(0)
        return list(zip(*(side.tolist() for side in pairs(one, n, window)), strict=True))

    batch = numbered(rows)
    shares = [draw(batch.share(number, of)) for number in range(of)]
    assert sorted(pair for part in shares for pair in part) == sorted(draw(batch))


def test_one_process_shares_nothing(board):
    assert (distributed.size(), distributed.number(), distributed.speaks()) == (1, 0, True)
    assert (distributed.mean(0.3), distributed.highest(2.0), distributed.shared_count(7)) == (0.3, 2.0, 7)
    module, examples = torch.nn.Linear(1, 1), object()
    assert distributed.shared(module, examples) == (module, examples)
    with pytest.raises(rt.InputError, match="over several processes only: start with torchrun"):
        rt.pretrain("denoising", board, epochs=1, shard_items=True)


def test_only_pretrain_runs_under_torchrun(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["datasets"]) == 2
    assert "only pretrain runs in several processes" in capsys.readouterr().err


# ---- two processes ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_two(tmp_path_factory) -> dict:
    """What two processes found, all in one start."""
    out = tmp_path_factory.mktemp("two")
    subprocess.run([*TORCHRUN, "2", processes.__file__, str(out)], check=True, env=ENVIRONMENT, timeout=120)
    return json.loads((out / "found.json").read_text())


def alike(found: dict, expected: dict) -> None:
    for key, values in expected.items():
        assert found[key] == pytest.approx(values, rel=1e-5), key


each_shared = pytest.mark.parametrize(
    "case", range(len(processes.SHARED)), ids=lambda case: " ".join(map(str, processes.SHARED[case]))
)


@each_shared
def test_two_processes_find_what_one_does(by_two, case):
    alike(by_two["shared"][case], processes.train(*processes.SHARED[case]))


@pytest.mark.parametrize("case", range(len(processes.SHARDED)), ids=lambda case: str(processes.SHARDED[case]))
def test_items_cut_by_rows_give_the_same(by_two, case):
    alike(by_two["sharded"][case], processes.train(*processes.SHARDED[case]))


def test_a_sampled_softmax_over_cut_items_is_the_whole_one_where_all_are_drawn(by_two):
    name, options = processes.SAMPLED
    alike(by_two["sampled, all"], processes.train(name, options | {"sampled_softmax": 99}))


def test_a_sampled_softmax_over_cut_items_has_the_whole_ones_gradient_on_average(by_two):
    """``Ẑ`` is right on average; its logarithm is low by half its relative variance, which is small here."""
    found = {key: np.array(value) for key, value in by_two["estimates"].items()}
    mean, error, exact, z, z_error = (found[key] for key in ("mean", "error", "exact", "z", "z_error"))
    assert abs(z - 1) < 4 * z_error
    assert z_error < 0.02
    assert np.abs(mean - exact).max() < 4 * error.max() + 0.03 * np.abs(exact).max()


def test_a_sampled_training_with_cut_items_resumes_to_the_same_and_keeps_half_the_tables(by_two):
    assert by_two["sampled, resumed"] == by_two["sampled, few"]
    assert by_two["kept"] == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_training_with_cut_items_resumes_to_the_same(by_two):
    assert by_two["resumed"][0] == by_two["sharded"][0]


def test_the_command_writes_one_checkpoint_and_speaks_once(tmp_path):
    command = [*TORCHRUN, "2", *PRETRAIN, "--epochs", "1", "--out", str(tmp_path / "two"), "--json", "-"]
    done = subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    (record,) = json.loads(done.stdout)
    assert record["processes"] == 2
    assert done.stderr.count("Interactions 'movielens-small'") == 1
    assert sorted(path.suffix for path in (tmp_path / "two").iterdir()) == [".json", ".safetensors"]
    one = rt.pretrain("denoising", rt.load_dataset("movielens-small"), epochs=1, dim=8)
    two = rt.load_model(tmp_path / "two")
    assert record["value"] == pytest.approx(one.history["loss"].iloc[-1], rel=1e-5)
    for key, value in one.state_dict().items():
        torch.testing.assert_close(two.state_dict()[key], value, rtol=1e-3, atol=1e-4)


def start(number: int, port: int, out: Path) -> subprocess.Popen:
    """Start one of two processes without torchrun, which would stop the other one when one is lost."""
    where = {"WORLD_SIZE": "2", "RANK": str(number), "LOCAL_RANK": str(number)}
    where |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, *PRETRAIN, "--epochs", "500", "--out", str(out)]
    return subprocess.Popen(command, env=ENVIRONMENT | where, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_lost_process_ends_the_other_with_one_line_and_a_whole_checkpoint(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first, second = (start(number, port, tmp_path) for number in range(2))
    try:
        while not (tmp_path / "training.json").exists():
            assert first.poll() is None, "it ended before the other could be killed"
            time.sleep(0.02)
        second.send_signal(signal.SIGKILL)
        told = first.communicate(timeout=30)[1]
    finally:
        for process in (first, second):
            process.kill()
    assert first.returncode == 2
    assert "process 0 lost another one of the 2" in told.splitlines()[-1]
    assert "Traceback" not in told
    origin = json.loads((tmp_path / "training.json").read_text())["origin"]
    assert checkpoints.load_progress(tmp_path, origin).epoch >= 1


def test_gradients_cut_by_rows_are_clipped_as_one(monkeypatch):
    whole, cut = (torch.nn.Parameter(torch.zeros(3, 2)) for _ in range(2))
    cut.rows = rows.Rows((0, 3, 6))  # three rows here, and three like them in another process
    for parameter, value in ((whole, 1.0), (cut, 2.0)):
        parameter.grad = torch.full_like(parameter, value)
    monkeypatch.setattr(rows.dist, "all_reduce", lambda squared: squared.mul_(2))
    length = (6 * 1 + 2 * 6 * 4) ** 0.5
    assert rows.clip_gradients([whole, cut], 1.0).item() == pytest.approx(length)
    assert whole.grad.unique().item() == pytest.approx(1 / length, rel=1e-5)
    assert cut.grad.unique().item() == pytest.approx(2 / length, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [("item2vec", {}), ("next-item", {}), ("next-item", {"sampled_softmax": 5})],
)
def test_what_cannot_be_cut_by_rows_is_refused(board, monkeypatch, name, options):
    monkeypatch.setattr(distributed, "size", lambda: 2)
    with pytest.raises(rt.InputError, match=f"the items of '{name}' cannot be cut by rows: take one with a bag"):
        rt.pretrain(name, board, epochs=1, shard_items=True, **options)


def test_a_sampled_softmax_is_refused(board, monkeypatch):
    monkeypatch.setattr(distributed, "size", lambda: 2)
    with pytest.raises(rt.InputError, match="a sampled softmax over several processes needs item tables cut by rows"):
        rt.pretrain("next-item", board, epochs=1, sampled_softmax=5)


# ---- a GPU --------------------------------------------------------------------------------------------------------

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")


@gpu
@pytest.mark.cuda
@each_shared
def test_a_gpu_follows_the_draws_of_the_cpu(case):
    name, options = processes.SHARED[case]
    on_gpu, on_cpu = (processes.train(name, options, device=device) for device in ("cuda", "cpu"))
    assert on_gpu["loss"] == pytest.approx(on_cpu["loss"], rel=1e-3)


@pytest.mark.cuda
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two GPUs on this machine")
def test_two_gpus_by_nccl(tmp_path):
    command = [*TORCHRUN, "2", *PRETRAIN, "--epochs", "1", "--device", "cuda", "--out", str(tmp_path), "--json", "-"]
    done = subprocess.run(command, check=True, env=ENVIRONMENT, capture_output=True, text=True)
    one = rt.pretrain("denoising", rt.load_dataset("movielens-small"), epochs=1, dim=8)
    assert json.loads(done.stdout)[0]["value"] == pytest.approx(one.history["loss"].iloc[-1], rel=1e-3)
