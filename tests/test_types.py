"""The types of the package: that the check of them can fail, and that right calls pass."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CALLS = '''\
import numpy as np
import torch

import recsys_tutorial as rt

data = rt.load_dataset("movielens-100k")
split = rt.splits.held_out_users(data, 0.2, seed=1)
model: rt.PretrainedModel = rt.pretrain("denoising", split.train, epochs=3, checkpoint="folder")
rt.pretrain(rt.Denoising(rt.BagEncoder(data.n_items, 32)), data)
task = rt.new_shelf(data, seed=0)
tuned = rt.finetune(model, task, "probe")
tuned.score(data).mean()
table = rt.evaluate({"ease": rt.EASE().fit(split.train), "tuned": tuned}, split, "ndcg", k=[10, 20])
rt.plots.evaluation(table).save("figure.png")
rt.Recommender(model).recommend(["Toy Story (1995)", 364], k=5).head()
rt.read_interactions("log.csv", user="uid", strict=False).filter_counts(5, 5)
rt.from_events(["a", "b"], np.array([1, 2]), timestamp=[1.5, 2.0])
rt.metrics.ndcg_at_k(np.eye(3), [[1, 0, 0], [0, 1, 0], [0, 0, 1]], 2)
rt.metrics.recall_at_k(torch.eye(3), data.matrix, 2)
model(torch.eye(3)).sum()

rt.pretrain("denoising", 3)  # wrong
rt.pretrain("denoising", data, epochs="3")  # wrong
rt.pretrain(rt.BagEncoder(10), data)  # wrong
rt.Denoising("encoder")  # wrong
rt.finetune(data, task)  # wrong
rt.finetune(model, task, strategy=1)  # wrong
rt.evaluate({"ease": 3}, split)  # wrong
rt.evaluate(model, data)  # wrong
rt.Recommender("folder")  # wrong
rt.Recommender(model).recommend(["a"], k="5")  # wrong
rt.read_interactions(5)  # wrong
rt.read_interactions("log.csv", users="uid")  # wrong
rt.from_events(["a"], [1], weight="1")  # wrong
rt.metrics.ndcg_at_k("a", 1)  # wrong
rt.metrics.ndcg_at_k(np.eye(3), "a", 2)  # wrong
rt.EASE().fit("log.csv")  # wrong
rt.BagEncoder("500")  # wrong
rt.BagEncoder(500)(data).append(1)  # wrong: a tensor has no append
model("a")  # wrong
model(torch.eye(3)).append(1)  # wrong
model.encode([1, 2])  # wrong
rt.plots.evaluation("table")  # wrong
rt.plottings.evaluation(table)  # wrong
rt.save_model(model, "folder")  # wrong: the other way round
'''


def test_wrong_types_in_public_calls_are_found_and_right_ones_pass(tmp_path):
    pytest.importorskip("mypy", reason="of the extra `test`")
    calls = tmp_path / "calls.py"
    calls.write_text(CALLS, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(calls)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = {int(line) for line in re.findall(r"calls\.py:(\d+): error: ", said.stdout)}
    wrong = {number for number, line in enumerate(CALLS.splitlines(), 1) if "# wrong" in line}
    assert found == wrong, said.stdout + said.stderr
