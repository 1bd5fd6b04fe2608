"""The results file of a study: whole lines, a torn end, another study's file, and a real kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import recsys_tutorial as rt
from recsys_tutorial.studies import Journal, read_journal

HEADER = {"study": "s", "settings": {"labels": [30]}, "versions": {"torch": "1"}}
CELL = {"model": "a", "labels": 30, "seed": 0, "value": 0.5}


def test_what_is_added_is_read_again(tmp_path):
    path = tmp_path / "r.jsonl"
    Journal(path, HEADER).add(CELL)
    assert read_journal(path) == (HEADER, [CELL])
    again = Journal(path, {**HEADER, "versions": {"torch": "2"}})  # other versions may go on
    assert again.find(labels=30, seed=0, model="a") == CELL
    assert again.find(labels=30, seed=1, model="a") is None


def test_a_torn_last_line_is_cut_off(tmp_path):
    path = tmp_path / "r.jsonl"
    Journal(path, HEADER).add(CELL)
    whole = path.read_bytes()
    for torn in (b'{"record": "cell", "mod', b"\xe2\x88", b"{}"):
        path.write_bytes(whole + torn)
        journal = Journal(path, HEADER)
        assert journal.cells == [CELL]
        assert path.read_bytes() == whole
    journal.add({**CELL, "seed": 1})
    assert len(read_journal(path)[1]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no results file of a study"),
        ("not json\nmore\n", "line 1, is damaged"),
        ('{"record": "cell"}\n', "is no results file of a study"),
    ],
)
def test_other_files_are_refused(text, message, tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text(text)
    with pytest.raises(rt.InputError, match=message):
        read_journal(path)


def test_another_study_s_file_is_refused(tmp_path):
    path = tmp_path / "r.jsonl"
    Journal(path, HEADER)
    with pytest.raises(rt.InputError, match=r"holds another study: its settings is .*30.* this one's .*100"):
        Journal(path, {**HEADER, "settings": {"labels": [100]}})
    with pytest.raises(rt.InputError, match="no file"):
        read_journal(tmp_path / "nothing.jsonl")


SCRIPT = """
import sys
import numpy as np
import recsys_tutorial as rt
rng = np.random.default_rng(0)
rows = [(user, int(60 * (user % 2) + item)) for user in range(120) for item in rng.permutation(60)[:15]]
data = rt.from_events(*zip(*rows), weight=np.full(len(rows), 5.0), name="planted")
models = ["popularity", "neighbours", "raw ridge", "pretrained + probe", "pretrained + full"]
rt.label_efficiency(data, (6, 20), 3, models=models, dim=8, epochs=20, draws=1, out=sys.argv[1], progress=False)
"""


def test_a_killed_study_goes_on_without_repeating(tmp_path):
    path, whole = tmp_path / "r.jsonl", tmp_path / "whole.jsonl"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)])
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_bytes().count(b"\n") > 12) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = path.read_bytes()
    before = before[: before.rfind(b"\n") + 1]
    _, done = read_journal(path)
    subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True)
    subprocess.run([sys.executable, "-c", SCRIPT, str(whole)], check=True)
    assert path.read_bytes().startswith(before)  # what was finished stands as it was, its seconds too
    _, cells = read_journal(path)
    both = (cells, read_journal(whole)[1])
    values = [{(cell["model"], cell["labels"], cell["seed"]): cell["value"] for cell in found} for found in both]
    assert 11 < len(done) < len(cells) == len(values[0])
    assert values[0] == values[1]
    assert json.loads(path.read_text().splitlines()[0])["study"] == "label-efficiency"


def test_a_file_of_an_older_version_is_read_and_one_of_a_newer_refused(tmp_path):
    path = tmp_path / "r.jsonl"
    Journal(path, HEADER).add(CELL)
    first, *rest = path.read_text().splitlines(keepends=True)
    assert json.loads(first)["format"] == 1
    path.write_text(json.dumps({"record": "study", **HEADER}) + "\n" + "".join(rest))  # the first ones did not say
    assert Journal(path, HEADER).cells == [CELL]
    path.write_text(first.replace('"format": 1', '"format": 2') + "".join(rest))
    with pytest.raises(rt.InputError, match=r"r\.jsonl has format 2, this version reads 1: update recsys-tutorial"):
        read_journal(path)
