"""``advise``: on files where the answer is known it finds help, does not invent it, and says what to run next."""

import re
import shlex
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import recsys_tutorial as rt
from recsys_tutorial.cli import main as program
from recsys_tutorial.studies import advice
from recsys_tutorial.studies.worth import YES


@pytest.fixture
def quick(monkeypatch):
    """A network that is trained in a second."""
    monkeypatch.setattr(advice, "DIM", 16)
    monkeypatch.setattr(sys.modules["recsys_tutorial.studies.contenders"], "epochs_for", lambda n_users: 12)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Two files: what 2,500 customers bought, three things of 1,800, and whether the group of 250 of them is odd."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("shop")
    group, own = rng.integers(6, size=2500)[:, None], rng.random((2500, 3)) < 0.95
    bought = np.where(own, 6 * rng.integers(300, size=(2500, 3)) + group, rng.integers(1800, size=(2500, 3)))
    log = pd.DataFrame({"user": np.repeat(np.arange(2500), 3), "item": bought.ravel()}).drop_duplicates()
    log.to_csv(folder / "log.csv", index=False)
    some = rng.permutation(2500)[:250]
    labels = pd.DataFrame({"user": some, "label": np.where((group.ravel() % 2)[some] == 1, "odd", "even")})
    labels.to_csv(folder / "labels.csv", index=False)
    labels.assign(label=rng.permutation(labels["label"])).to_csv(folder / "noise.csv", index=False)
    return folder


def test_help_is_found_said_and_can_be_run(quick, shop, tmp_path, monkeypatch):
    told = rt.advise(shop / "log.csv", shop / "labels.csv", progress=False)
    assert told.worth_it
    assert 0.3 < told.unseen < 0.9
    page, records = str(told), told.records()
    assert page.startswith("2,500 users, 250 of them labelled, 2,250 not. 250 rows read as classification")
    assert re.search(r"Worth it\? Yes\. Pretraining was worth it here: \S+ \+ probe is better than every rival", page)
    assert re.search(r"With it, (about|at most) \d+ labels do what 200 do without\.", page)
    assert f"{told.unseen:.0%} of what labelled users did is on items that no labelled user outside" in page
    assert records[-1]["verdict"] == YES
    by_metric = {row["metric"]: row["value"] for row in records[:4]}
    assert by_metric == {"users": 2500, "labelled": 250, "unlabelled": 2250, "unseen_share": told.unseen}
    roles = {row["model"]: row["role"] for row in records if "role" in row}
    assert set(roles.values()) == {"without", "linear", "network"}
    assert len({str(row) for row in records}) == len(records)
    monkeypatch.chdir(tmp_path)  # the commands are there to be run, as they stand
    for command in told.commands():
        words = shlex.split(command)
        assert words[0] == "recsys-tutorial"
        assert program.main(words[1:]) == 0


def test_where_no_label_was_used_none_is_asked_for_next():
    task = SimpleNamespace(task=SimpleNamespace(name="ranking"))
    network, linear = (
        SimpleNamespace(model=name, verdict=verdict, comparison=task)
        for name, verdict in (("pretrained + stack", "not shown"), ("ease + no labels", YES))
    )
    told = rt.studies.advice.Advice(network, linear, 9, 0.5, ("a.csv", "wants.csv"), "", "python start.py")
    assert told.commands() == [
        "python start.py pretrain a.csv --objective linear --out pretrained",
        "python start.py recommend pretrained --users all --out lists.csv",
    ]


def test_no_help_is_not_invented(quick, shop):
    told = rt.advise(rt.read_interactions(shop / "log.csv"), rt.read_labels(shop / "noise.csv"), progress=False)
    assert not told.worth_it
    assert "Worth it? Yes" not in str(told)
    assert told.records()[-1]["verdict"] != YES
    assert rt.advise(shop / "log.csv", shop / "noise.csv", progress=False).records()[:-1] == told.records()[:-1]


def test_too_few_labels_are_refused(shop, tmp_path):
    (tmp_path / "few.csv").write_text("user,value\n1,1\n2,2\n3,3\n")
    with pytest.raises(rt.InputError, match="3 labelled users with behaviour: to judge a model by them takes 10"):
        rt.advise(shop / "log.csv", tmp_path / "few.csv")
