"""Fine-tuning with a report: every strategy and every kind of label ends in one, and what was wanted is never in g."""

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.learning.finetuning import RECIPES
from recsys_tutorial.studies import judged
from recsys_tutorial.studies.judged import finetune_judged


@pytest.fixture(scope="module")
def model(board):
    return rt.pretrain("counting", board, dim=6)


def wanted(board, tmp_path, elsewhere: bool = False) -> rt.RankingTask:
    """Each user wants two things that they have, or two that nobody can have here."""
    pairs = [(user, item) for user in range(40) for item in board.item_ids[board.take_users([user]).items[:2]].tolist()]
    pairs = [(user, f"book-{item % 3}-{user % 2}") for user, item in pairs] if elsewhere else pairs
    path = tmp_path / "wanted.csv"
    path.write_text("user,item\n" + "".join(f"{user},{item}\n" for user, item in pairs))
    return rt.read_labels(path, board)


@pytest.mark.parametrize("strategy", RECIPES)
def test_every_strategy_is_judged_and_saved(board, model, tmp_path, strategy):
    task = rt.RegressionTask(board, np.arange(40) % 2 + 0.1 * np.sin(np.arange(40)))
    f = finetune_judged(model, task, board, strategy, progress=False)
    assert f.origin["strategy"] == strategy
    name = "scratch" if strategy == "scratch" else f"pretrained + {strategy}"
    (verdict,) = [row for row in f.origin["report"]["records"] if "verdict" in row]
    assert verdict["model"] == name
    assert f"  {name}" in f.origin["report"]["text"]
    rt.save_model(tmp_path, f)
    again = rt.load_model(tmp_path)
    assert np.allclose(again.score(board), f.score(board), atol=1e-6)
    assert again.origin["report"] == f.origin["report"]
    assert again.origin["labelled_users"] == list(range(40))


def test_every_kind_of_label_has_its_own_strategy(board, model, tmp_path):
    values = rt.RegressionTask(board, np.arange(40) % 2 * 1.0)
    for task, strategy, metric in (
        (values, "probe", "RMSE"), (wanted(board, tmp_path), "stack", "NDCG"),
        (wanted(board, tmp_path, elsewhere=True), "stack", "NDCG"),
    ):  # fmt: skip
        f = finetune_judged(model, task, board, progress=False)
        assert f.origin["strategy"] == strategy
        assert f.origin["report"]["text"].startswith(f"{metric} ")
        assert f.origin["calibration"] is None
        assert f.score(task.behaviour).shape == (len(task), task.n_outputs)


def test_g_that_has_seen_what_is_wanted_is_not_judged_by(board, model, tmp_path, monkeypatch):
    seen, pretrain = [], judged.pretrain
    monkeypatch.setattr(judged, "pretrain", lambda name, data, **how: seen.append(data) or pretrain(name, data, **how))
    task = wanted(board, tmp_path)
    f = finetune_judged(model, task, board, "probe", progress=False)
    assert [data.n_events for data in seen] == [board.n_events - task.targets.n_events]
    assert "g was pretrained anew without it" in f.origin["report"]["text"]
    clean = rt.pretrain("counting", judged.without_wanted(board, task), dim=6)
    assert "anew" not in finetune_judged(clean, task, board, "probe", progress=False).origin["report"]["text"]
    assert len(seen) == 1


def test_few_labels_are_learned_from_and_not_judged_by(board, model):
    task = rt.RegressionTask(board.take_users(np.arange(6)), np.arange(6.0))
    f = finetune_judged(model, task, board, progress=False)
    assert f.origin["report"] == {
        "records": [], "text": "6 labelled users are too few to judge the model by: that takes 10.",
    }  # fmt: skip
    with pytest.raises(rt.InputError, match="4 labelled users: fine-tuning needs at least 5"):
        finetune_judged(model, task.take(np.arange(4)), board, progress=False)
