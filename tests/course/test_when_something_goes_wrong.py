"""Every row of docs/when_something_goes_wrong.md is brought about here, and says what the page says it does."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.published import downloads
from recsys_tutorial.data.published.datasets import DATASETS
from recsys_tutorial.data.published.sources import Files
from recsys_tutorial.engine.progress import Progress
from recsys_tutorial.evaluation.by_name import warn_of_leak
from recsys_tutorial.learning import checkpoints
from recsys_tutorial.studies.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "when_something_goes_wrong.md").read_text(encoding="utf-8")
ROWS = {row[0]: row for line in PAGE.splitlines() if len(row := line.strip("| ").split(" | ")) == 4}
ROWS = {name: row for name, row in ROWS.items() if name not in ("name", "---")}


def python(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Return what a fresh Python says."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=env, timeout=120)
    return done.stdout + done.stderr


def start(line: str) -> str:
    """Return what start.py says, as a module, when a line is run in it."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import start; {line}"
    return python("-c", code)


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a file of events."""
    (folder / "shop.csv").write_text(text, encoding=encoding)
    return folder / "shop.csv"


def old_python():
    return start("start.check_python((3, 9))")


def not_installed():
    return python("-I", "-S", "-c", "import recsys_tutorial")


def start_command():
    return start("start.main(['trian'])")


def threads():
    without = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    code = "import recsys_tutorial, os; print(os.environ['OMP_WAIT_POLICY'])"
    assert python("-c", code, env=without).strip() == "PASSIVE"


def cell_order():
    exec("model = rt.pretrain('denoising', likes, seed=0)", {"rt": rt})  # the third code cell of notebook 00


def blank_widget():
    return repr(rt.widgets.MetricPanel(ranks=(1,), n=10))


def dead_kernel():
    measured = pd.read_json(ROOT / "notebooks" / "measured.json").T
    assert measured["peak_mb"].max() < 900


def dense():
    many = rt.from_events(np.arange(3000), np.arange(3000), name="many")
    batch = rt.Batch.of(many)
    assert batch.dense(many.n_items).nbytes > 100 * (batch.items.nbytes + batch.offsets.nbytes + batch.weights.nbytes)


def unknown_dataset():
    rt.load_dataset("movielens")


def host_down(folder, monkeypatch):
    monkeypatch.setenv("RECSYS_TUTORIAL_CACHE", str(folder))
    monkeypatch.delenv("RECSYS_TUTORIAL_DATA", raising=False)
    monkeypatch.setattr(downloads, "ATTEMPTS", 1)
    one = downloads.Download("http://127.0.0.1:9/set.zip", sha256="0" * 64)  # nothing listens at port 9
    Files("set", ("ratings.csv",), (one,), "http://the.owner/page").ready()


def damaged_copy(tiny, monkeypatch):
    monkeypatch.setattr(type(DATASETS["movielens-small"]), "load", lambda self: tiny)
    rt.load_dataset("movielens-small")


def no_column(folder):
    rt.read_interactions(table(folder, "customer,item\n1,2\n"))


def bad_number(folder):
    rt.read_interactions(table(folder, "user,item,rating\n1,2,good\n"))


def not_utf8(folder):
    rt.read_interactions(table(folder, "user,item\n1,Amélie\n", "latin-1"))


def float_ids(folder):
    path = table(folder, "user,item\n1,2\n,3\n")
    assert rt.read_interactions(path, strict=False).user_ids.tolist() == [1]
    return str(pd.read_csv(path)["user"].astype(str)[0])


def no_times():
    rt.splits.temporal(rt.from_events([1, 1, 2], [1, 2, 1], name="shop"))


def nobody_left(tiny):
    tiny.filter_counts(per_user=50)


def nan(tiny):
    rt.pretrain("denoising", tiny, epochs=5, learning_rate=1e30, progress=False)


def resume_other(tiny, folder):
    checkpoints.save_progress(folder, Progress(1, [], {"module.x": torch.zeros(1)}), {"seed": 0, "epochs": 5})
    rt.pretrain("autoencoder", tiny, epochs=6, checkpoint=folder, resume=True, progress=False)


def taken_folder(tiny, folder):
    for _ in range(2):
        rt.pretrain("autoencoder", tiny, epochs=1, checkpoint=folder, progress=False)


def few_events(tiny):
    rt.pretrain("next-item", tiny.keep_events(np.isin(np.arange(6), tiny.offsets[:-1])), progress=False)


def memory(tiny):
    rt.pretrain("autoencoder", tiny, dim=2 * 10**9, progress=False)


def other_items(tiny):
    model = rt.pretrain("autoencoder", tiny, epochs=1, progress=False)
    model.score(tiny.subset_items([10, 20]))


def other_s_file(folder):
    torch.save(pickle.PickleError("any object"), folder / "model.pt")
    torch.load(folder / "model.pt")


def broken_model(tiny, folder):
    rt.save_model(folder, rt.pretrain("autoencoder", tiny, epochs=1, progress=False))
    (folder / "model.json").write_text('{"enc')
    rt.load_model(folder)


def same_seed(tiny):
    same, again, longer = (rt.pretrain("autoencoder", tiny, epochs=n, seed=0, progress=False) for n in (2, 2, 3))
    assert np.array_equal(same.score(tiny), again.score(tiny))
    assert same.origin == again.origin
    assert not np.allclose(same.score(tiny), longer.score(tiny), atol=1e-3)
    assert {key for key in same.origin if same.origin[key] != longer.origin[key]} == {"epochs"}


def sampled():
    split = rt.splits.leave_one_out(rt.load_dataset("movielens-small"))
    models = {"popularity": rt.Popularity().fit(split.train)}
    rates = [rt.evaluate(models, split, ["hit_rate"], 10, **how)["value"][0] for how in ({}, {"sampled": 99})]
    assert rates[1] > 2 * rates[0]


def leak(tiny):
    last = rt.splits.leave_one_out(tiny)
    rt.splits.Split("mine", train=tiny, inputs=last.inputs, targets=last.targets)


def flattered(capsys):
    films = rt.load_dataset("movielens-small")
    model = rt.pretrain("autoencoder", films, epochs=1, dim=4, progress=False)
    warn_of_leak("runs/films", model, films)
    return capsys.readouterr().err


def few_seeds():
    rt.uncertainty.seed_interval([0.5])


def other_study(folder):
    for seeds in (3, 5):
        Journal(folder / "r.jsonl", {"seeds": seeds})


def unknown_item():
    rt.load_dataset("movielens-small").item_index("Alladin")


def two_of_a_name():
    rt.load_dataset("movielens-small").item_index("Hamlet")


def one_text(tiny):
    model = rt.pretrain("autoencoder", tiny, epochs=1, progress=False)
    rt.Recommender(model).recommend("Heat (1995)")


def new_user(tiny):
    model = rt.pretrain("autoencoder", tiny, epochs=1, progress=False)
    rt.Recommender(model).recommend([])


def test_every_row_is_whole():
    assert len(ROWS) > 25
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in ROWS.values())


@pytest.mark.parametrize("name", ROWS)
def test_what_the_page_says_is_seen(name, tiny, tmp_path, monkeypatch, capsys):
    bring_about = globals()[name.replace("-", "_")]
    given = {"tiny": tiny, "folder": tmp_path, "monkeypatch": monkeypatch, "capsys": capsys}
    takes = bring_about.__code__.co_varnames[: bring_about.__code__.co_argcount]
    promised = re.findall(r"`([^`]+)`", ROWS[name][1])
    try:
        seen = bring_about(**{what: given[what] for what in takes})
    except AssertionError:
        raise
    except Exception as error:
        seen = str(error)
    if promised:
        assert promised[0] in seen
    else:
        assert seen is None, "a row without a message has a function that checks by itself"
