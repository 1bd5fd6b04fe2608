"""The benchmark's records at tiny sizes (how fast it is, is for a quiet machine to say), and the invented data."""

import json

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial import __main__ as program
from recsys_tutorial import commands
from recsys_tutorial.benchmark import BARS, PEER_BARS, benchmark
from recsys_tutorial.synthetic import synthetic


def tiny(against=(), seed=0, data=None):
    return benchmark(80, 40, 900, many=(50, 30), repetitions=2, against=against, seed=seed, data=data)


def test_every_bar_has_its_record(monkeypatch, capsys):
    monkeypatch.setattr(commands, "benchmark", tiny)
    assert program.main(["benchmark", "--seed", "3", "--json", "-"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert {row["metric"]: row["bar"] for row in records} == BARS
    for row in records:
        assert 0 < row["low"] <= row["value"] <= row["high"]
        assert row["ok"] == (row["value"] <= row["bar"])
        assert row["threads"] >= 1
        assert row["load"] >= 0
        assert row["seed"] == 3


def test_cornac_beside_ours_on_data_of_ones_own(movielens):
    cornac = pytest.importorskip("cornac", reason="the extra 'bench' is not installed")
    assert cornac
    data = movielens.filter_counts(per_user=20, per_item=40)
    rows = {row["metric"]: row for row in tiny(["cornac"], data=data) if row["metric"] in PEER_BARS}
    assert rows.keys() == PEER_BARS.keys()
    for name in ("denoising", "variational"):
        quality, speed = rows[f"vaecf_ndcg_over_{name}"], rows[f"seconds_over_vaecf_{name}"]
        assert quality["value"] == pytest.approx(quality["vaecf_ndcg"] / quality["ndcg"])
        assert quality["value"] < 1.2
        assert speed["value"] == pytest.approx(speed["seconds"] / speed["vaecf_seconds"])
        assert quality["data"] == "movielens-small"


def test_a_peer_that_is_not_known():
    with pytest.raises(rt.InputError, match="unknown peer 'irspak': did you mean 'irspack'"):
        benchmark(against=["irspak"])


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
