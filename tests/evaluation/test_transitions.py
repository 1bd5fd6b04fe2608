"""Remembered or understood: the groups by hand, and that they add up to the whole."""

import json

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.cli import main as program
from recsys_tutorial.data.splits import held_out_users, leave_one_out
from recsys_tutorial.evaluation.transitions import groups_of, transitions

# Trained on | shown | asked for, and what the step between these two is.
HISTORIES = {
    "ann": ("abc|x|y", "never"),
    "bob": ("cda|b|f", "never"),
    "cid": ("def|a|b", "seen"),  # by ann
    "dee": ("de|a|c", "within two steps"),  # a-b and b-c, both ann's
    "eve": ("eaf|d|c", "never"),  # though c-d was seen: the order counts
    "ida": ("ef|b|d", "within two steps"),  # b-c of ann's and c-d of bob's
}
STEPS = {"ab": 1, "bc": 1, "cd": 1, "da": 1, "de": 2, "ef": 2, "ea": 1, "af": 1}  # none from one user to the next


@pytest.fixture
def data() -> rt.Interactions:
    events = [(user, item) for user, (text, _) in HISTORIES.items() for item in text.replace("|", "")]
    return rt.from_events(*map(list, zip(*events, strict=True)), in_order=True, name="letters")


def test_the_steps_and_the_groups_by_hand(data):
    split = leave_one_out(data)
    found = transitions(split.train).tocoo()
    letters = data.item_ids
    steps = {letters[a] + letters[b]: n for a, b, n in zip(*found.coords, found.data, strict=True)}
    assert steps == STEPS
    assert dict(zip(split.targets.user_ids, groups_of(split), strict=True)) == {
        user: group for user, (_, group) in HISTORIES.items()
    }


def test_what_is_trained_on_decides(data):
    """Trained on what is shown too, fed (d to b) gives eve's d a path: d-a, which she is shown, no; none leads to c."""
    split = leave_one_out(data, refit=True)
    groups = dict(zip(split.targets.user_ids, groups_of(split), strict=True))
    assert groups["bob"] == "never"
    assert transitions(split.train).sum() == transitions(leave_one_out(data).train).sum() + len(HISTORIES)


def test_the_groups_add_up_to_the_whole(data):
    split = leave_one_out(data)
    models = {"popularity": rt.Popularity().fit(split.train), "slist": rt.SLIST().fit(split.train)}
    whole = rt.evaluate(models, split, ("hit_rate", "ndcg"), (1, 3))
    parts = rt.evaluate(models, split, ("hit_rate", "ndcg"), (1, 3), by="transition")
    assert list(parts.columns) == [*whole.columns[:4], "group", *whole.columns[4:]]
    assert parts["group"].tolist() == ["seen", "within two steps", "never"] * len(whole)
    assert parts["users"].tolist() == [1, 2, 3] * len(whole)
    means = (parts["value"] * parts["users"]).to_numpy().reshape(-1, 3).sum(1) / 6
    np.testing.assert_allclose(means, whole["value"])
    assert ((parts["ci_low"] <= parts["value"]) & (parts["value"] <= parts["ci_high"])).all()


def test_a_group_without_users_has_no_row(data):
    split = leave_one_out(data.subset_users(np.isin(data.user_ids, ["ann", "cid"])))
    found = rt.evaluate(rt.Popularity().fit(split.train), split, "ndcg", 3, by="transition")
    assert found["group"].tolist() == ["seen", "never"]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"by": "transitions"}, "unknown by 'transitions': did you mean 'transition'"),
        ({"by": "transition", "metrics": ["ndcg", "coverage"]}, "coverage belongs to all users together"),
        ({"by": "transition", "ties": True}, "ties belongs to all users together"),
    ],
)
def test_what_cannot_be_told_apart_is_said(how, message, data):
    split = leave_one_out(data)
    with pytest.raises(rt.InputError, match=message):
        rt.evaluate(rt.Popularity().fit(split.train), split, k=3, **how)


def test_an_order_and_one_target_are_needed(data, club):
    split = held_out_users(data, target_share=0.5)
    with pytest.raises(rt.InputError, match="is for one target a user, held-out-users has more"):
        rt.evaluate(rt.Popularity().fit(split.train), split, k=3, by="transition")
    split = held_out_users(rt.from_events(["a", "a", "b", "b"], [1, 2, 1, 2], name="timeless"), test_share=0.5)
    with pytest.raises(rt.InputError, match="'timeless' has no timestamps"):
        rt.evaluate(rt.Popularity().fit(split.train), split, k=1, by="transition")


def test_the_command(tmp_path, capsys):
    rows = "\n".join(f"{user},{(user + step) % 7},{step}" for user in range(30) for step in range(5))
    (tmp_path / "log.csv").write_text("user,item,timestamp\n" + rows + "\n")
    asked = ["evaluate", str(tmp_path / "log.csv"), "--model", "slist", "--k", "3", "--metric", "ndcg"]
    asked += ["--protocol", "leave-one-out", "--by", "transition"]
    assert program.main([*asked, "--json", str(tmp_path / "out.json")]) == 0
    records = json.loads((tmp_path / "out.json").read_text())
    assert [(record["group"], record["users"], record["value"]) for record in records] == [("seen", 30, 1.0)]
    assert "seen" in capsys.readouterr().out
    assert program.main([*asked, "--figure", str(tmp_path / "out.png")]) == 2
    assert "--figure draws all users together" in capsys.readouterr().err
