"""The benchmark's records at tiny sizes (how fast it is, is for a quiet machine to say), and the invented data."""

import contextlib
import io
import json
import math

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.benchmark import BARS, PARTS, PEER_BARS, PEERS, Scale, benchmark, growth, measure, peers, quality
from recsys_tutorial.benchmark.counting import counted
from recsys_tutorial.benchmark.growth import Size, doublings, exponent
from recsys_tutorial.benchmark.hardware import Rates, sequence_flops, work_of
from recsys_tutorial.benchmark.quality import passed
from recsys_tutorial.cli import main as program
from recsys_tutorial.cli.commands import benchmark as command
from recsys_tutorial.data.batches import Batch
from recsys_tutorial.data.synthetic import synthetic
from recsys_tutorial.objectives import build_objective

TINY = Scale(
    users=80, items=40, events=900, histories=Size(60, 30, 400), many=(50, 30), serve_items=50,
    serve_dim=4, calls=10, table_items=50,
    base=Size(40, 30, 400, dim=4), doublings=2, large=Size(60, 40, 500, dim=8),
    million=Size(30, 400, 200, dim=4, sampled_softmax=10), square=64, repetitions=2, rounds=1,
)  # fmt: skip
BRIEF = dict.fromkeys(quality.BUDGETS, ({"steps": 10}, {"epochs": 2}))


def tiny(parts=None, against=(), seed=0, data=None, **how):
    return benchmark(parts, against, seed, data, **how | {"scale": TINY, "progress": False})


@pytest.fixture
def here(monkeypatch):
    """Run in this process what the benchmark runs in others: that they start is another test's."""

    def alone(what, code):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, {})
        return printed.getvalue()

    monkeypatch.setattr(quality, "BUDGETS", BRIEF)
    for module in (measure, growth):
        monkeypatch.setattr(module, "alone", alone)


def test_a_process_of_its_own_has_our_threads_and_its_failure_is_told():
    torch.set_num_threads(2)
    assert measure.alone("threads", "print(torch.get_num_threads())") == "2\n"
    with pytest.raises(RuntimeError, match=r"(?s)odd: the process ended with 1: .*nonsense"):
        measure.alone("odd", "raise ValueError('nonsense')")


@pytest.mark.usefixtures("here")
def test_every_bar_has_its_record(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command, "benchmark", tiny)
    figure = tmp_path / "benchmark.png"
    assert program.main(["benchmark", "--seed", "3", "--json", "-", "--figure", str(figure)]) == 0
    records = json.loads(capsys.readouterr().out)
    assert {row["part"] for row in records} == set(PARTS)
    assert {row["metric"]: row["bar"] for row in records if row["bar"] is not None} == BARS
    for row in records:
        if row["value"] is None:
            assert row["ok"] is (None if row["bar"] is None else False)
            continue
        assert row["low"] <= row["value"] <= row["high"] or "exponent" in row["metric"]
        assert row["ok"] == (None if row["bar"] is None else row["value"] <= row["bar"])
        assert row["threads"] >= 1
        assert row["load"] >= 0
        assert row["peak_mb"] > 0
        assert row["seed"] == 3
    assert figure.stat().st_size > 5000


def test_only_what_is_asked_for_is_measured():
    found = [row for row in tiny(["hardware"], objectives=["next-item"]) if row["metric"] != "kernel_gflops"]
    assert [row["metric"] for row in found] == ["epoch_over_floor_next-item", "padding_waste"]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"parts": ["hardwear"]}, "unknown part 'hardwear': did you mean 'hardware'"),
        ({"objectives": ["denoisng"]}, "unknown objective 'denoisng': did you mean 'denoising'"),
        ({"against": ["irspak"]}, "unknown peer 'irspak': did you mean 'irspack'"),
    ],
)
def test_what_is_not_known(how, message):
    with pytest.raises(rt.InputError, match=message):
        tiny(**how)


@pytest.mark.parametrize("name", PEERS)
def test_peers_beside_ours_on_data_of_ones_own(name, movielens, monkeypatch):
    pytest.importorskip(name, reason="the extra 'bench' is not installed")
    monkeypatch.setattr(peers, "VAECF_EPOCHS", (1, 2))
    monkeypatch.setattr(quality, "BUDGETS", BRIEF)
    data = movielens.filter_counts(per_user=40, per_item=60)
    rows = {row["metric"]: row for row in tiny(["quality"], [name], data=data) if row["metric"] != "ndcg"}
    if name == "cornac":
        assert rows.keys() >= {name for name in PEER_BARS if "vaecf" in name}
    for row in rows.values():
        assert row["data"] == "movielens-small"
        assert row["value"] == row["seconds"] / row["floor_seconds"] or math.isnan(row["value"])


def test_everyones_list_beside_those_of_implicit():
    pytest.importorskip("implicit", reason="not installed")
    *_, row = tiny(["serving"], ["implicit"])
    assert (row["metric"], row["bar"], row["users"], row["dim"]) == ("recommend_many_over_implicit", 1.5, 80, 4)
    assert row["seconds"] > 0


def test_passing_a_rival_by_hand():
    points = {"ours": [(0.3, 1.0), (0.4, 2.0), (0.5, 4.0)], "theirs": [(0.35, 5.0), (0.4, 10.0)]}
    assert passed(points, "ours", "theirs", 1.0)["value"] == 0.2
    assert passed(points, "ours", "theirs", 1.05)["value"] == 0.4
    never = passed(points, "ours", "theirs", 2.0) | {"bar": 1.0}
    assert math.isnan(never["value"])
    assert passed(points, "theirs", "ours", 0.8)["value"] == 2.5


def test_an_exponent_by_hand():
    assert exponent([1, 2, 4], [3, 12, 48]) == pytest.approx(2)
    sizes = doublings(Size(5, 6, 7), "items", 2)
    assert [size.items for size in sizes] == [6, 12, 24]


def test_the_floor_of_an_epoch_by_hand(board):
    """Products: decoder, three times forward. Look-ups: what is shown, read forward, read and written backward."""
    objective = build_objective("autoencoder", board, dim=8)
    counting = counted(lambda: objective.loss(Batch.of(board)).backward())
    work = work_of(objective, Batch.of(board), counting, steps=1)
    assert work.flops == 6 * board.n_users * board.n_items * 8
    assert work.gathered == 3 * 4 * 8 * board.n_events
    assert work.optimizer == 4 * 7 * (20 * 8 + 8 + 20 * 8 + 20)
    assert work.seconds(Rates(flops=1000, bytes=100)) == work.flops / 1000 + work.gathered / 100


def test_the_floor_of_histories_counts_no_padding(board):
    objective = build_objective("next-item", board, dim=8)
    short = Batch.from_lists([[1, 2], [3, 4, 5, 6, 7, 8]])
    places, block = 1 + 5, lambda n: 2 * (16 * n * 64 + 4 * n * n * 8)
    assert sequence_flops(objective, short) == 3 * (block(1) + block(5) + 2 * places * 8 * 20)


def test_synthetic_has_a_long_tail_and_is_the_same_at_a_seed():
    data = synthetic(500, 300, 20_000, seed=1)
    assert (data.n_users, data.n_items) == (500, 300)
    assert data.events_per_user.min() >= 1
    assert data.n_events <= 20_000
    assert data.matrix.nnz == data.n_events
    popular = np.sort(data.events_per_item)[::-1]
    assert popular[:30].sum() > 1.5 * popular[-150:].sum()  # a tenth of the items has more than half of them has
    assert data.fingerprint == synthetic(500, 300, 20_000, seed=1).fingerprint
    assert data.fingerprint != synthetic(500, 300, 20_000, seed=2).fingerprint


def test_synthetic_refuses_too_little():
    with pytest.raises(rt.InputError, match="0 users, 5 items, 9 events"):
        synthetic(0, 5, 9)
