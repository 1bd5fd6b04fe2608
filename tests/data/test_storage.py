"""Interactions on disk against the same in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from strategies import columns, text_ids

import recsys_tutorial as rt
from recsys_tutorial.cli.main import main
from recsys_tutorial.data import files, storage
from recsys_tutorial.data.batches import Batch, Stored


def same(a: rt.Interactions, b: rt.Interactions) -> None:
    for name in ("items", "offsets", "weights", "timestamps", "user_ids", "item_ids"):
        mine, other = getattr(a, name), getattr(b, name)
        assert (mine is None) == (other is None), name
        if mine is not None:
            assert mine.dtype == other.dtype, name
            assert mine.tolist() == other.tolist(), name
            assert not mine.flags.writeable
    assert (a.titles, a.genres, a.name, a.in_order) == (b.titles, b.genres, b.name, b.in_order)
    assert (a.fingerprint, repr(a), a.report) == (b.fingerprint, repr(b), b.report)


@given(columns())
def test_what_is_opened_is_what_was_saved(tmp_path_factory, table):
    built = rt.from_events(**table)
    opened = rt.save_interactions(tmp_path_factory.mktemp("map"), built)
    same(opened, built)
    assert replace(opened).fingerprint == built.fingerprint  # as computed from the files, not as written down
    assert opened.density == built.density
    assert opened.events_per_item.tolist() == built.events_per_item.tolist()


@given(columns(ids=text_ids()))
def test_ids_of_any_text_are_kept(tmp_path_factory, table):
    same(rt.save_interactions(tmp_path_factory.mktemp("map"), built := rt.from_events(**table)), built)


def test_titles_attributes_labels_and_the_report_are_kept(tmp_path, tiny, club):
    people = pd.DataFrame({"age": [30, 40]}, index=[3, 5])
    films = pd.DataFrame({"minutes": [90.0, 120.0]}, index=[10, 20])
    opened = rt.save_interactions(
        tmp_path, replace(tiny, user_attributes=people, item_attributes=films, labels=club)
    )  # fmt: skip
    same(opened, tiny)
    pd.testing.assert_frame_equal(opened.user_attributes, people)
    pd.testing.assert_frame_equal(opened.item_attributes, films)
    same(opened.labels, club)


@given(columns())
def test_parts_by_user_make_the_whole(tmp_path_factory, table):
    whole = rt.from_events(**table)
    cut = whole.n_users // 2
    rows = np.arange(whole.n_users)
    parts = [whole.take_users(part).filter_counts() for part in (rows[:cut], rows[cut:]) if len(part)]
    opened = rt.save_interactions(tmp_path_factory.mktemp("map"), iter(parts))
    same(replace(opened, report=None), replace(whole, report=None))


def test_parts_keep_titles_and_attributes(tmp_path, tiny):
    people = pd.DataFrame({"age": [30, 40, 50]}, index=[3, 5, 7])
    parts = [replace(tiny.take_users([row]), user_attributes=people.iloc[[row]]) for row in (2, 0, 1)]
    opened = rt.save_interactions(tmp_path, parts)
    assert opened.user_ids.tolist() == [7, 3, 5]
    assert (opened.titles, opened.genres) == (tiny.titles, tiny.genres)
    assert opened.user_attributes["age"].tolist() == [50, 30, 40]


def test_selecting_from_a_map_copies_to_memory(tmp_path, tiny):
    opened = rt.save_interactions(tmp_path, tiny)
    some = opened.take_users([1, 2])
    assert not isinstance(some.items, np.memmap)
    same(some, tiny.take_users([1, 2]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: [], "no interactions to save"),
        (lambda one: [one, one], "user 3 is in two parts"),
        (lambda one: [one, replace(one, timestamps=None)], "differ: in one of them times or order are known"),
        (lambda one: [one.take_users([0]), replace(one.take_users([1]), labels=one)], "several parts with labels"),
    ],
)
def test_what_cannot_be_saved_leaves_what_was_there(tmp_path, tiny, change, message):
    rt.save_interactions(tmp_path, tiny)
    with pytest.raises(rt.InputError, match=message):
        rt.save_interactions(tmp_path, change(tiny))
    same(rt.open_interactions(tmp_path), tiny)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_interruption_leaves_what_was_there_and_a_second_save_replaces_it(tmp_path, tiny, club, monkeypatch):
    opened = rt.save_interactions(tmp_path, tiny)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, "write_text", stop)
    with pytest.raises(KeyboardInterrupt):
        rt.save_interactions(tmp_path, club)
    monkeypatch.undo()
    same(rt.open_interactions(tmp_path), tiny)
    same(rt.save_interactions(tmp_path, club), club)
    assert opened.items.tolist() == tiny.items.tolist()  # whoever reads the old files goes on
    assert len(list(tmp_path.iterdir())) == 2


def _truncate(folder: Path) -> None:
    path = next(folder.glob("data-*/weights.npy"))
    path.write_bytes(path.read_bytes()[:-4])


def _rewrite(**changed):
    def change(folder: Path) -> None:
        path = folder / "interactions.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "interactions.json").write_text("{"), "interactions.json is damaged"),
        (_truncate, "is damaged .*write it again"),
        (lambda folder: next(folder.glob("data-*/offsets.npy")).unlink(), "is damaged"),
        (_rewrite(n_events=7), r"is damaged \(its files hold"),
        (_rewrite(format=2), "has format 2, this version reads 1: update"),
        (_rewrite(folder="data-0"), "is damaged|is missing"),
    ],
)
def test_damage_is_named(tmp_path, tiny, damage, message):
    rt.save_interactions(tmp_path, tiny)
    damage(tmp_path)
    with pytest.raises(rt.InputError, match=message):
        rt.open_interactions(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no interactions in .* \(no interactions.json\)"):
        rt.open_interactions(tmp_path)


# ---- training from a map ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(rt.OBJECTIVES))
def test_training_from_a_map_gives_the_same_weights(tmp_path, board, name):
    torch.set_num_threads(1)
    opened = rt.save_interactions(tmp_path, board)
    mapped, memory = (rt.pretrain(name, data, epochs=2, dim=8, seed=1) for data in (opened, board))
    for key, value in memory.state_dict().items():
        assert torch.equal(value, mapped.state_dict()[key]), key
    assert np.array_equal(mapped.score(opened), memory.score(board))


def test_the_command_reads_a_folder_and_states_its_peak(tmp_path, board, capsys):
    rt.save_interactions(tmp_path / "data", board)
    command = ["pretrain", str(tmp_path / "data"), "--epochs", "1", "--out", str(tmp_path / "out"), "--json", "-"]
    assert main(command) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["data"], record["processes"]) == ("board", 1)
    assert 50 < record["peak_mb"] < 5000
    assert main([*command, "--overwrite", "--columns", "user=u"]) == 2
    assert "is a folder: leave it out" in capsys.readouterr().err
    assert main(["pretrain", str(tmp_path), "--out", str(tmp_path / "other")]) == 2
    assert "no interactions in" in capsys.readouterr().err


def test_stored_behaviour_shares_memory_and_what_is_taken_does_not(tiny):
    stored = Stored.of(tiny)
    assert stored.items.data_ptr() == tiny.items.ctypes.data
    taken, plain = stored.take(torch.tensor([2, 0])), Batch.of(tiny).take(torch.tensor([2, 0]))
    assert type(taken) is Batch
    for name in ("items", "offsets", "weights"):
        assert torch.equal(getattr(taken, name), getattr(plain, name))
        assert getattr(taken, name).dtype == getattr(plain, name).dtype


def test_released_memory_is_read_again(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(100_000))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert sum(int(piece.sum()) for piece in files.in_pieces(mapped, 1000)) == 4_999_950_000
    assert int(mapped.sum()) == 4_999_950_000




PRETRAIN = """
import re, resource, sys
import recsys_tutorial as rt
data = rt.open_interactions(sys.argv[1])
rt.pretrain("denoising", data.take_users(range(512)), epochs=1, dim=8)  # what torch needs once
used = int(re.search(r"VmData:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, 2 * (used + int(sys.argv[2]) * 2**20,))
rt.pretrain("denoising", data, epochs=1, dim=8)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's own memory is Linux's RLIMIT_DATA")
def test_data_larger_than_its_budget_of_memory_trains(tmp_path):
    """130 MB of events, 64 MB of them read in training, within 32 MB more than it takes to train on 512 users."""
    per_user, many = 100, 8000
    items = np.random.default_rng(0).random((many, 400)).argpartition(per_user, 1)[:, :per_user].astype(np.int32)

    def part(first: int) -> rt.Interactions:
        n = many * per_user
        return rt.Interactions(
            items.ravel(), np.arange(0, n + 1, per_user), np.ones(n, np.float32), np.zeros(n, np.int64),
            np.arange(first, first + many), rt.Catalogue(np.arange(400)),
        )  # fmt: skip

    rt.save_interactions(tmp_path, (part(first) for first in range(0, 10 * many, many)))
    command = [sys.executable, "-c", PRETRAIN, str(tmp_path), "32"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]
