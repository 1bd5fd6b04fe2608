"""``study`` on the command line: its records, its files, the same again, and one line where it cannot go on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from recsys_tutorial.cli import main as program
from recsys_tutorial.studies import read_journal

QUICK = ("--seeds", "2", "--epochs", "3", "--dim", "4", "--draws", "1", "--threads", "1")


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """Two files of one shop: the second has other users."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(0)
    for name, first in (("old.csv", 0), ("new.csv", 1000)):
        lines = ["user,item,rating"]
        for user in range(90):
            lines += [f"{first + user},{i + 20 * (user % 2)},{rng.integers(3, 6)}" for i in rng.permutation(20)[:12]]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def run(*arguments: object) -> int:
    return program.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def finished(ratings):
    out, tidy, figure = (ratings / name for name in ("r.jsonl", "r.json", "r.png"))
    where = ("--out", out, "--json", tidy, "--figure", figure)
    assert run("study", "label-efficiency", ratings / "old.csv", "--labels", "10,20", *QUICK, *where) == 0
    return out, json.loads(tidy.read_text()), figure


def test_label_efficiency_leaves_tidy_records_a_file_and_a_figure(finished):
    out, records, figure = finished
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert {row.get("metric") for row in records} == {"ndcg", "label_multiplier", "verdict"}
    for row in records:
        assert {"labels", "strategy", "task", "data", "fingerprint", "command", "split"} <= set(row)
    said = [row for row in records if "verdict" in row]
    assert [row["labels"] for row in said] == [0, 10, 20]
    assert {row["verdict"] for row in said} <= {"positive", "negative", "undecided"}
    header, cells = read_journal(out)
    assert {"command", "versions", "fingerprint", "split", "settings", "origin"} <= set(header)
    assert len(cells) == sum("draws" in row for row in records)


def test_the_command_is_told_without_where_its_output_went():
    from recsys_tutorial.cli.commands.study import _command

    given = ["study", "label-efficiency", "my films", "--json", "/x/y.json", "--figure=f.png", "--out", "r.jsonl"]
    assert _command(given) == "recsys-tutorial study label-efficiency 'my films' --out r.jsonl"


def test_a_finished_study_is_not_run_again(finished, ratings):
    out = finished[0]
    before = out.read_bytes()
    assert run("study", "label-efficiency", ratings / "old.csv", "--labels", "10,20", *QUICK, "--out", out) == 0
    assert out.read_bytes() == before


def test_the_same_again_from_the_file(finished, tmp_path, capsys):
    out, records, _ = finished
    assert run("study", "repeat", out, "--json", tmp_path / "again.json") == 0
    again = json.loads((tmp_path / "again.json").read_text())
    assert again.pop()["value"] == 1.0
    values = [[row["value"] for row in rows if "draws" in row] for rows in (records, again)]
    assert values[0] == values[1]
    assert "values come out the same" in capsys.readouterr().out

    header, *cells = out.read_text().splitlines()
    changed = json.loads(cells[0]) | {"value": 0.123}
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join([header, json.dumps(changed), *cells[1:]]) + "\n")
    assert run("study", "repeat", other, "--json", tmp_path / "again.json") == 0
    said = json.loads((tmp_path / "again.json").read_text())[-1]
    assert (said["value"], said["differ"]) == (0.0, 1)


def test_show_draws_without_running(finished, tmp_path, capsys):
    assert run("study", "show", finished[0], "--figure", tmp_path / "f.png") == 0
    assert "Does pretraining help?" in capsys.readouterr().out
    assert (tmp_path / "f.png").read_bytes() == finished[2].read_bytes()


def test_transfer(ratings, tmp_path):
    tidy = tmp_path / "t.json"
    where = ("--labels", "10,all", "--json", tidy, *QUICK)
    assert run("study", "transfer", ratings / "old.csv", ratings / "new.csv", *where) == 0
    records = json.loads(tidy.read_text())
    # 90 users less those in the test and those with fewer than five liked films
    assert {row["labels"] for row in records} == {0, 10, 58}
    models = {row["model"] for row in records if "draws" in row}
    assert {"scratch", "ease", "ease of source and target", "pretrained + no labels", "pretrained + wide"} <= models
    assert [row["labels"] for row in records if "verdict" in row] == [0, 10, 58]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("label-efficiency", "movielens-smal"), "unknown dataset 'movielens-smal': did you mean 'movielens-small'"),
        (("label-efficiency", "movielens-small", "--labels", "9999"), "labels=9999: only"),
        (("label-efficiency", "movielens-small", "--strategy", "ful"), "unknown strategy 'ful': did you mean 'full'"),
        (("repeat", "nothing.jsonl"), "no file 'nothing.jsonl': give the results file of a study"),
        (("transfer", "movielens-small", "nowhere.csv"), "no file 'nowhere.csv'"),
    ],
)
def test_one_line_where_it_cannot_go_on(arguments, message, capsys):
    assert run("study", *arguments) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
