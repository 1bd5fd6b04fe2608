"""The command line: what it prints, and one clear line with exit code 2 where it cannot go on."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import re
import subprocess
import sys

import pandas as pd
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.cli import loading, report
from recsys_tutorial.cli import main as program
from recsys_tutorial.cli.commands import benchmark, datasets, demo, doctor, pretrain
from recsys_tutorial.data.published.datasets import DATASETS

SMALL = ("--epochs", "3", "--dim", "4")
TITLES = ["Heat (1995)", "Lion King, The (1994)", "Amélie (2001)", "晩春 (1949)", "Sabrina (1954)", "Sabrina (1995)"]


@pytest.fixture(autouse=True)
def _threads():
    """Give torch its threads back after --threads."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(capsys):
    """Run a command in this process -> exit code, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = program.main([str(argument) for argument in arguments])
        except SystemExit as stop:  # as argparse ends
            code = stop.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def refused(run):
    """Run a command that must be refused -> its one line."""

    def call(*arguments: object) -> str:
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("recsys-tutorial: ")
        assert err.endswith("\n")
        assert len(err.splitlines()) == 1
        return err.removeprefix("recsys-tutorial: ").rstrip("\n")

    return call


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A CSV of twenty users and six films, with titles."""
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    draw = random.Random(0)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "item", "rating", "timestamp", "title"])
        for user in range(20):
            for item in draw.sample(range(6), 3):
                writer.writerow([user, 10 + item, draw.randint(1, 5), draw.randint(10**9, 2 * 10**9), TITLES[item]])
    return path


@pytest.fixture(scope="session")
def model(shop, tmp_path_factory):
    """A folder with a model of the shop."""
    folder = tmp_path_factory.mktemp("model") / "new" / "folder"
    assert program.main(["pretrain", str(shop), "--out", str(folder), *SMALL]) == 0
    return folder


# ---- what the commands do ------------------------------------------------------------------------------------


def test_pretrain_then_recommend(run, shop, tmp_path):
    out = tmp_path / "model"
    code, text, progress = run("pretrain", shop, "--out", out, *SMALL)
    assert code == 0
    told = r"denoising: 3 epochs in \d+ s, loss \d+\.\d, 58 parameters, \d+ MB at most; written to "
    assert re.fullmatch(told + re.escape(f"{out}\n"), text)
    assert "20 users × 6 items, 60 events" in progress
    assert "%|" not in progress  # bars are for terminals

    code, text, progress = run("recommend", out, "--liked", "lion king, the", "--liked", "10", "-k", "4")
    assert (code, progress) == (0, "")
    assert text.split()[:5] == ["rank", "item", "title", "score", "1"]
    assert re.search(r" -?\d\.\d{3}$", text.rstrip())
    left = {"Amélie (2001)", "晩春 (1949)", "Sabrina (1954)", "Sabrina (1995)"}
    assert all(title in text for title in left)
    assert "Heat" not in text

    code, text, _ = run("recommend", out, "--liked", "lion king, the", "--liked", "10", "-k", "4", "--json", "-")
    records = json.loads(text)
    assert [record["rank"] for record in records] == [1, 2, 3, 4]
    assert {record["title"] for record in records} == left
    assert [record["score"] for record in records] == sorted((record["score"] for record in records), reverse=True)
    table = rt.Recommender.load(out).recommend(["Lion King, The (1994)", 10], k=4)
    assert [record["item"] for record in records] == table["item"].tolist()


def test_pretrain_tells_a_program_what_it_did(run, shop, tmp_path):
    file = tmp_path / "out.json"
    code, text, _ = run("pretrain", shop, "--out", tmp_path / "m", *SMALL, "--seed", 7, "--json", file)
    (record,) = json.loads(file.read_text(encoding="utf-8"))
    assert code == 0
    assert text  # a person is told too
    assert {name: record[name] for name in ("model", "data", "metric", "epochs", "seed", "out")} == {
        "model": "denoising", "data": "shop.csv", "metric": "loss", "epochs": 3, "seed": 7, "out": str(tmp_path / "m"),
    }  # fmt: skip
    assert record["parameters"] == 6 * 4 + 4 + 4 * 6 + 6
    assert record["value"] == rt.load_model(tmp_path / "m").history["loss"].tolist()[-1]
    assert 0 < record["seconds"] < 60
    assert record["peak_mb"] > 50


def test_the_same_seed_recommends_the_same_with_one_thread_and_two(run, shop, tmp_path):
    told = []
    for number, (threads, seed) in enumerate([(1, 3), (2, 3), (1, 3), (1, 4)]):
        folder = tmp_path / str(number)
        assert run("pretrain", shop, "--out", folder, *SMALL, "--threads", threads, "--seed", seed)[0] == 0
        told.append(run("recommend", folder, "--liked", "Heat", "-k", 5, "--threads", threads)[1])
    assert told[0] == told[1] == told[2]
    assert told[3] != told[0]
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("command", ["datasets", "doctor", "pretrain", "recommend"])
def test_json_to_standard_output_is_all_that_is_printed_there(run, shop, model, tmp_path, command):
    arguments = {
        "pretrain": [shop, "--out", tmp_path / "m", *SMALL],
        "recommend": [model, "--liked", "晩春", "-k", 3],
    }.get(command, [])
    code, text, _ = run(command, *arguments, "--json", "-")
    records = json.loads(text)
    assert code == 0
    assert isinstance(records, list)
    assert all(isinstance(record, dict) for record in records)
    assert text.isascii()  # any pipe and any terminal can carry it


@pytest.mark.parametrize("command", ["datasets", "doctor", "recommend"])
def test_a_json_file_holds_what_standard_output_would(run, model, tmp_path, command):
    arguments = [model, "--liked", "Heat", "-k", 3] if command == "recommend" else []
    _, text, _ = run(command, *arguments, "--json", "-")
    code, spoken, _ = run(command, *arguments, "--json", tmp_path / "out.json")
    assert code == 0
    assert spoken
    changing = {"memory", "disk"}
    told, kept = (
        [record for record in json.loads(source) if record.get("name") not in changing]
        for source in (text, (tmp_path / "out.json").read_text(encoding="utf-8"))
    )
    assert told == kept


def test_datasets_and_doctor_for_a_person(run):
    code, text, err = run("datasets")
    assert (code, err) == (0, "")
    for word in ("movielens-small", "671", "9066", "100004", "True"):
        assert word in text
    code, text, err = run("doctor")
    assert (code, err) == (0, "")
    assert f"ok  torch              {torch.__version__}" in text.splitlines()


def test_doctor_marks_what_is_missing(run, monkeypatch):
    records = [{"name": "pyarrow", "value": "not installed", "ok": False}, {"name": "torch", "value": "2", "ok": True}]
    monkeypatch.setattr(doctor.machine, "doctor", lambda: records)
    assert run("doctor")[1] == "NO  pyarrow            not installed\nok  torch              2\n"


def test_demo_in_small(run, monkeypatch, tmp_path, movielens):
    monkeypatch.setattr(demo, "DEMO_EPOCHS", 1)
    monkeypatch.setattr(demo, "DEMO_SEEDS", 2)
    monkeypatch.setattr(demo, "load_dataset", lambda name: movielens.take_users(range(200)))
    code, text, _ = run("demo", "--json", tmp_path / "out.json")
    records = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert code == 0
    for task, (story, models) in demo.DEMO_CASES.items():
        assert story in text
        here = [record for record in records if record.get("task") == task]
        assert {record["labels"] for record in here} == {demo.DEMO_LABELS}
        for name in models:
            rows = [record for record in here if record.get("model") == name]
            assert {record["protocol"] for record in rows} == {task}
            assert any("ci_low" in record for record in rows)
            assert name in text
        assert [0 <= record["value"] <= 1 for record in here if record["metric"] == "unseen_share"] == [True]
    gains = [record for record in records if "minus" in record.get("model", "")]
    assert len(gains) == sum(len(models) - 1 for _, models in demo.DEMO_CASES.values())
    assert all(record.items() >= {"metric": "ndcg", "k": 20}.items() for record in gains)
    assert all(record["ci_low"] <= record["value"] <= record["ci_high"] for record in gains)
    assert (records[-1]["model"], records[-1]["metric"]) == ("demo", "seconds")
    assert 0 < records[-1]["value"] < 60
    assert records[-1]["peak_mb"] > 50
    for title in demo.DEMO_LIKED:
        assert text.count(title) == 1  # named, and not recommended


def test_columns_of_a_file_go_by_their_names(run, tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("uid;sku;when\n1;7;2020-01-01\n1;8;2020-01-02\n2;7;2020-01-03\n2;8;2020-01-04\n1;7;2020-01-05\n")
    told = run(
        "pretrain", file, "--columns", "user=uid, item=sku,timestamp=when", "--duplicates", "last", "--out",
        tmp_path / "m", *SMALL,
    )  # fmt: skip
    assert told[0] == 0
    assert "2 users × 2 items, 4 events" in told[2]
    assert "times: 2020-01-02 to 2020-01-05" in told[2]


@pytest.mark.parametrize("arguments", [["--help"], ["pretrain", "--help"], ["recommend", "-h"], ["--version"]])
def test_help_and_version(run, arguments):
    code, text, err = run(*arguments)
    assert (code, err) == (0, "")
    assert (rt.__version__ if "--version" in arguments else "--") in text


def test_every_command_takes_the_common_options(run):
    for command in ("demo", "datasets", "doctor", "pretrain", "recommend"):
        text = run(command, "--help")[1]
        assert all(option in text for option in ("--seed", "--threads", "--device", "--json"))


def test_defaults_and_the_ends_of_what_is_allowed():
    read = program.parser().parse_args
    common = {"seed": 0, "threads": None, "device": "cpu", "json": None}
    pretrain = {"objective": "denoising", "epochs": None, "dim": None, "resume": False}
    data = {"columns": None, "duplicates": "error"}
    assert vars(read(["datasets"])).items() >= common.items()
    assert vars(read(["pretrain", "x.csv", "--out", "m"])).items() >= (common | pretrain | data).items()
    assert vars(read(["recommend", "m"])).items() >= (common | {"k": 10, "liked": []}).items()
    for option, lowest, highest in (("seed", 0, 2**31 - 1), ("threads", 1, 1024)):
        for value in (lowest, highest):
            assert getattr(read(["datasets", f"--{option}={value}"]), option) == value
    smallest = read(["pretrain", "x.csv", "--out", "m", "--dim=1", "--epochs=1"])
    assert (smallest.dim, smallest.epochs) == (1, 1)
    assert read(["recommend", "m", "-k", "1"]).k == 1


# ---- what cannot be done -------------------------------------------------------------------------------------

HELP = "(see recsys-tutorial {} --help)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND (see recsys-tutorial --help)"),
        (["datasets", "a\nb"], "unrecognized arguments: a b (see recsys-tutorial --help)"),
        (["pretrain", "x.csv"], "the following arguments are required: --out " + HELP.format("pretrain")),
        (["recommend"], "the following arguments are required: DIR " + HELP.format("recommend")),
    ],
)
def test_wrong_arguments(refused, arguments, message):
    assert refused(*arguments) == message


def test_an_unknown_command_lists_those_there_are(refused):
    message = refused("pretain")
    assert message.startswith("argument COMMAND: invalid choice: 'pretain' (choose from ")
    assert all(name in message for name in ("demo", "datasets", "doctor", "pretrain", "recommend"))


def test_an_unknown_objective_lists_those_there_are(refused):
    message = refused("pretrain", "movielens-small", "--out", "m", "--objective", "denoisin")
    assert message.startswith("argument --objective: invalid choice: 'denoisin' (choose from ")
    assert all(name in message for name in rt.OBJECTIVES)


@pytest.mark.parametrize(
    ("option", "value", "bounds"),
    [
        ("--seed", "-1", "0 and 2,147,483,647"),
        ("--seed", "2147483648", "0 and 2,147,483,647"),
        ("--seed", "9" * 5000, "0 and 2,147,483,647"),
        ("--seed", "1.5", "0 and 2,147,483,647"),
        ("--seed", "²", "0 and 2,147,483,647"),
        ("--threads", "0", "1 and 1,024"),
        ("--threads", "1025", "1 and 1,024"),
        ("--threads", "two", "1 and 1,024"),
        ("--epochs", "0", "1 and 2,147,483,647"),
        ("--dim", "0", "1 and 2,147,483,647"),
    ],
)
def test_a_number_out_of_range(refused, option, value, bounds):
    told = refused("pretrain", "movielens-small", "--out", "m", f"{option}={value}")
    assert told == f"argument {option}: {value!r} is not a whole number between {bounds} " + HELP.format("pretrain")


def test_k_out_of_range(refused, model):
    assert "argument -k: '0' is not a whole number between 1 and" in refused("recommend", model, "-k", "0")
    told = refused("recommend", model, "--liked", "Heat", "-k", "6")
    assert told == "k=6: it needs to be a whole number between 1 and 5, the number of items to choose from"


@pytest.mark.parametrize(
    ("liked", "message"),
    [
        ([], "no items: name at least one that the person likes"),
        (["Lion Kng"], "unknown item 'Lion Kng': did you mean 'Lion King, The (1994)'?"),
        (["99"], "unknown item '99': no title is near it; give a title or an id of the catalogue"),
        (["Heat", ""], "unknown item '': no title is near it; give a title or an id of the catalogue"),
        (
            ["sabrina"],
            "2 items are called 'sabrina': give the id of one (Sabrina (1954) = 14, Sabrina (1995) = 15)",
        ),
    ],
)
def test_an_unknown_item(refused, model, liked, message):
    assert refused("recommend", model, *(f"--liked={item}" for item in liked)) == message


def test_a_folder_without_a_model(refused, tmp_path):
    told = refused("recommend", tmp_path, "--liked", "Heat")
    assert told == f"no model in {str(tmp_path)!r} (no model.json): give a folder that pretrain wrote"


def test_data_that_is_not_there(refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ratings.csv").write_text("user,item\n1,2\n")
    assert (
        refused("pretrain", "movielens", "--out", "m") == "unknown dataset 'movielens': did you mean 'movielens-small'?"
    )
    assert refused("pretrain", "ratings", "--out", "m") == "unknown dataset 'ratings': did you mean 'ratings.csv'?"
    told = refused("pretrain", "zz", "--out", "m")
    assert told == "unknown dataset 'zz': choose from " + ", ".join(map(repr, [*DATASETS, "ratings.csv"]))
    assert refused("pretrain", "rating.csv", "--out", "m") == "no file 'rating.csv': did you mean 'ratings.csv'?"
    assert refused("pretrain", "./ratings", "--out", "m") == "no file 'ratings': did you mean 'ratings.csv'?"
    told = "no interactions in '.' (no interactions.json): give one that save_interactions wrote"
    assert refused("pretrain", ".", "--out", "m") == told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ratings.csv"]  # no folder m is left behind


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty: it needs a header and at least one row"),
        ("a.csv", "user,item\n", "a.csv is empty: it needs a header and at least one row"),
        ("a.csv", "user,sku\n1,2\n", "a.csv has no column 'item' for item: it has user, sku; name yours with item="),
        ("a.csv", "user,item,rating\n1,2,x\n", "a.csv, row 1, column 'rating': 'x' is not a finite number"),
        ("a.csv", "user,item\n1,2\n1,2\n", "'a.csv', row 2: user 1 has item 2 a second time"),
        ("a.xls", "PK", "a.xls ends in '.xls': use one of .csv .tsv .txt .parquet .pq .jsonl .ndjson .xlsx"),
    ],
)
def test_a_file_that_cannot_be_used(refused, tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    told = refused("pretrain", tmp_path / name, "--out", tmp_path / "m")
    assert told.replace(f"{tmp_path}{os.sep}", "").startswith(message)


@pytest.mark.parametrize("columns", ["", "user", "user=", "=uid", "who=uid", "user=a,user=b", "user=a,,item=b"])
def test_wrong_columns(refused, shop, columns):
    assert refused("pretrain", shop, "--out", "m", f"--columns={columns}") == (
        f"--columns {columns!r}: write it as user=uid,item=sku, each once; "
        "the roles are user, item, rating, timestamp, title, genres, behaviour"
    )


def test_columns_that_the_file_lacks_or_that_belong_to_no_file(refused, shop):
    told = refused("pretrain", shop, "--out", "m", "--columns", "user=usr")
    assert told == (
        f"{shop} has no column 'usr' for user: it has user, item, rating, timestamp, title; "
        "name yours with user='user' (in a command: --columns user=user)"
    )
    told = refused("pretrain", "movielens-small", "--out", "m", "--columns", "user=usr")
    assert told == "--columns is for a file, 'movielens-small' is not one: leave it out"


def test_a_json_path_that_cannot_be_written_is_refused_before_the_work(refused, monkeypatch, tmp_path):
    monkeypatch.setattr(datasets, "datasets", lambda: pytest.fail("the work was begun"))
    for path in (tmp_path, tmp_path / "no" / "x.json", ""):
        assert refused("datasets", "--json", path) == f"--json {path}: give a file in a folder that exists"


def test_a_json_file_that_fails_in_the_end_leaves_standard_output_empty(refused, monkeypatch, tmp_path):
    def full(path, text):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(report, "write_text", full)
    assert refused("datasets", "--json", tmp_path / "x") == f"{tmp_path / 'x'}: No space left on device"


@pytest.mark.parametrize("under", ["", "deeper"])
def test_a_file_where_the_folder_should_be_is_refused_before_the_work(refused, shop, tmp_path, monkeypatch, under):
    monkeypatch.setattr(pretrain, "pretrain", lambda *a, **k: pytest.fail("the work was begun"))
    (tmp_path / "file").touch()
    out = tmp_path / "file" / under
    assert refused("pretrain", shop, "--out", out) == f"{out} is a file, or lies in one: give a folder to write to"


def test_a_device_that_is_not_there(refused):
    for name in ("gpu", "mps", "cuda:9"):
        told = refused("datasets", "--device", name)
        assert told.startswith(f"device {name!r} is not there: use 'cpu' (")
        assert len(told) < 200


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "not enough memory: take fewer data or a smaller --dim"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            "not enough memory: take fewer data or a smaller --dim",
        ),
        (RuntimeError("CUDA out of memory. Tried to"), "not enough memory: take fewer data or a smaller --dim"),
        (rt.InputError("unknown item 'out of memory':\n no title"), "unknown item 'out of memory': no title"),
        (rt.TrainingError("loss is nan"), "loss is nan"),
        (OSError("odd"), "odd"),
    ],
)
def test_errors_a_user_can_act_on_are_one_line(refused, monkeypatch, error, message):
    def fail():
        raise error

    monkeypatch.setattr(datasets, "datasets", fail)
    assert refused("datasets") == message


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ZeroDivisionError("a bug")])
def test_our_own_mistakes_are_not_hidden(run, monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(datasets, "datasets", fail)
    with pytest.raises(type(error), match="a bug"):
        run("datasets")


def test_stopping_by_hand_is_one_line(run, monkeypatch):
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "datasets", stop)
    assert run("datasets") == (130, "", "recsys-tutorial: stopped\n")


# ---- as a program of its own ---------------------------------------------------------------------------------


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "recsys_tutorial", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=os.environ | environment, timeout=120)


def test_bad_input_to_the_program_itself(tmp_path):
    (tmp_path / "a.csv").write_text("user,item,rating\n1,2,3\n1,3,\n")
    done = start("pretrain", tmp_path / "a.csv", "--out", tmp_path / "m")
    assert (done.returncode, done.stdout) == (2, b"")
    line = done.stderr.decode()
    assert line.startswith("recsys-tutorial: ")
    assert "row 2, column 'rating': an empty cell (NaN) is not a finite number" in line
    assert len(line.splitlines()) == 1


def test_titles_that_the_terminal_lacks_are_no_error(model):
    done = start("recommend", model, "--liked", "Heat", "-k", "5", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"Am\xe9lie (2001)" in done.stdout
    done = start("recommend", model, "--liked", "Heat", "-k", "5", "--json", "-", PYTHONIOENCODING="ascii")
    assert "Amélie (2001)" in {record["title"] for record in json.loads(done.stdout)}


def test_evaluate_compares_models_and_says_when_one_saw_the_test(tmp_path, capsys):
    path = tmp_path / "log.csv"
    rows = [
        f"{user},{10 * (user % 2) + item},{user + item}" for user in range(30) for item in range(8) if item != user % 7
    ]
    path.write_text("user,item,timestamp\n" + "\n".join(rows) + "\n")
    assert program.main(["pretrain", str(path), "--epochs", "2", "--dim", "4", "--out", str(tmp_path / "m")]) == 0
    capsys.readouterr()
    models = f"popularity,item-knn,ease,pca,denoising,{tmp_path / 'm'}"
    for protocol in ("held-out-users", "leave-one-out", "temporal", "random"):
        arguments = [
            "--model",
            models,
            "--protocol",
            protocol,
            "--metric",
            "ndcg,coverage",
            "--k",
            "3,5",
            "--json",
            "-",
        ]
        assert program.main(["evaluate", str(path), *arguments, "--json", "-"]) == 0
        out, err = capsys.readouterr()
        records = json.loads(out)
        assert len(records) == 6 * 2 * 2
        assert {record["protocol"] for record in records} == {protocol}
        assert {record["model"] for record in records if record["leak"]} == {str(tmp_path / "m")}
        assert "careful: " in err
        assert all(0 <= record["value"] <= 1 for record in records)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "eaze"], "unknown model 'eaze': did you mean 'ease'?"),
        (["--model", ","], "argument --model: is empty: write it as name,name"),
        (["--metric", "ndgc"], "unknown metric 'ndgc': did you mean 'ndcg'?"),
        (["--k", "0"], "'0' is not a whole number"),
        (["--k", "99999"], "k=99999: it needs to be a whole number between 1 and 9066"),
    ],
)
def test_evaluate_refuses_in_one_line(arguments, message, capsys):
    with contextlib.suppress(SystemExit):
        assert program.main(["evaluate", "movielens-small", *arguments]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("recsys-tutorial: ")
    assert message in last


def test_no_strict_drops_counts_and_says_so(run, refused, tmp_path):
    path = tmp_path / "a.csv"
    good = "".join(f"{user},{item}\n" for user in range(6) for item in range(4))
    path.write_text("user,item\n" + good + ",3\n0,0\n")
    asked = ["evaluate", path, "--model", "popularity", "--protocol", "random", "--k", "2"]
    assert "a.csv, row 25, column 'user': an empty cell" in refused(*asked)
    code, _, err = run(*asked, "--no-strict")
    assert code == 0
    assert "26 rows read, 1 dropped (1 where 'user' is not an id), 1 repeats of a user's item (the newest kept)" in err


def test_sequences_on_the_command_line(run, tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"{user} {user % 3} {3 + user % 2} 5\n" for user in range(8)))
    code, text, _ = run(
        "evaluate", tmp_path / "a.txt", "--model", "popularity", "--protocol", "leave-one-out", "--k", "2"
    )
    assert code == 0
    assert text.startswith("leave-one-out, a.txt")
    asked = ["evaluate", tmp_path / "a.txt", "--model", "popularity", "--refit", "--k", "2"]
    assert run(*asked, "--protocol", "leave-one-out")[1].startswith("leave-one-out, refit, a.txt")
    said = run(*asked, "--protocol", "random")[2]
    assert "--refit is for --protocol leave-one-out and temporal, not for random" in said


# ---- a folder that is taken ----------------------------------------------------------------------------------


@pytest.fixture
def taken(run, shop, tmp_path):
    """A folder that holds a finished model of the shop."""
    assert run("pretrain", shop, "--out", tmp_path / "m", *SMALL)[0] == 0
    return tmp_path / "m"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_finished_model_is_not_overwritten_without_a_word(run, refused, shop, taken, monkeypatch):
    before, began = contents(taken), pretrain.load
    monkeypatch.setattr(pretrain, "load", lambda *a: pytest.fail("the work was begun"))
    told = refused("pretrain", shop, "--out", taken, *SMALL, "--seed", 1)
    assert told == (
        f"{taken} holds a finished model (denoising on 'shop.csv'): give another folder, or resume=True to go on with "
        "it, or overwrite=True to replace it once the new model is complete (in a command: --resume, --overwrite)"
    )
    assert contents(taken) == before
    monkeypatch.setattr(pretrain, "load", began)
    assert run("pretrain", shop, "--out", taken, *SMALL, "--seed", 1, "--overwrite")[0] == 0
    assert rt.load_model(taken).origin["seed"] == 1


def test_the_old_model_is_there_until_the_new_one_is_complete(run, refused, shop, taken, monkeypatch):
    from recsys_tutorial.learning import checkpoints

    save, before = checkpoints.save_progress, contents(taken)

    def stop(*state):
        save(*state)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save_progress", stop)
    again = ["pretrain", shop, "--out", taken, *SMALL, "--seed", 2]
    assert run(*again, "--overwrite")[0] == 130
    assert contents(taken).items() >= before.items()
    monkeypatch.setattr(checkpoints, "save_progress", save)
    assert "holds a finished model" in refused(*again)
    assert run(*again, "--resume")[0] == 0
    assert rt.load_model(taken).origin["seed"] == 2
    assert not (taken / "training.json").exists()


def test_an_unfinished_training_is_not_overwritten_either(refused, shop, tmp_path):
    from recsys_tutorial.engine.progress import Progress
    from recsys_tutorial.learning import checkpoints

    checkpoints.save_progress(tmp_path, Progress(1), {"objective": "item2vec", "data": "log.csv"})
    told = refused("pretrain", shop, "--out", tmp_path, *SMALL)
    assert told.startswith(f"{tmp_path} holds an unfinished training (item2vec on 'log.csv'): give another folder")
    (tmp_path / "training.json").write_text("{")
    assert "(training.json does not say of what)" in refused("pretrain", shop, "--out", tmp_path, *SMALL)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (["--seed", "1"], "seed was 0, now 1"),
        (["--epochs", "4"], "epochs was 3, now 4"),
        (["--dim", "5"], "dim was 4, now 5"),
        (["--objective", "autoencoder"], "objective was 'denoising', now 'autoencoder'"),
    ],
)
def test_a_finished_training_is_resumed_with_its_own_settings_only(run, shop, taken, changed, told):
    before = contents(taken)
    code, _, err = run("pretrain", shop, "--out", taken, *SMALL, *changed, "--resume")
    assert code == 2
    assert f"recsys-tutorial: cannot resume {taken}: {told}" in err
    code, text, _ = run("pretrain", shop, "--out", taken, *SMALL, "--resume")  # with its own, there is nothing to do
    assert code == 0
    assert text.endswith(f"nothing was left to do for {taken}\n")
    assert contents(taken) == before


def test_resume_refuses_other_data_after_the_end(run, shop, taken, tmp_path):
    (tmp_path / "shop.csv").write_text("\n".join(shop.read_text(encoding="utf-8").splitlines()[:-1]))
    code, _, err = run("pretrain", tmp_path / "shop.csv", "--out", taken, *SMALL, "--resume")
    assert code == 2
    assert f"cannot resume {taken}: data_fingerprint was" in err


def test_resume_and_overwrite_exclude_each_other(refused, shop, taken, club):
    told = refused("pretrain", shop, "--out", taken, "--resume", "--overwrite")
    assert told.startswith("argument --overwrite: not allowed with argument --resume")
    with pytest.raises(rt.InputError, match="give one of the two"):
        rt.pretrain("denoising", club, checkpoint=taken, resume=True, overwrite=True)


def test_in_python_a_folder_that_is_taken_is_refused_too(club, taken):
    with pytest.raises(rt.InputError, match=r"holds a finished model .*overwrite=True"):
        rt.pretrain("denoising", club, epochs=1, dim=4, checkpoint=taken)
    new = rt.pretrain("denoising", club, epochs=1, dim=4, checkpoint=taken, overwrite=True)
    assert torch.equal(rt.load_model(taken).classifier.weight, new.classifier.weight)
    again = rt.pretrain("denoising", club, epochs=1, dim=4, checkpoint=taken, resume=True)
    assert torch.equal(again.classifier.weight, new.classifier.weight)


def test_a_dim_beyond_the_memory_is_one_line(run, shop, tmp_path):
    code, _, err = run("pretrain", shop, "--out", tmp_path / "m", "--dim", "1000000000")
    assert code == 2
    assert re.fullmatch(
        r"recsys-tutorial: denoising with dim=1000000000 on 6 items needs [\d,.]+ GiB = .*", err.splitlines()[-1]
    )


# ---- files that could not be written -------------------------------------------------------------------------

STUDIES = [["label-efficiency", "DATA"], ["transfer", "DATA", "DATA"], ["repeat", "FILE"], ["show", "FILE"]]
WITH_FIGURES = [["evaluate", "movielens-small"], ["benchmark"], *(["study", *study] for study in STUDIES)]


def no_work(monkeypatch):
    begun = "the work was begun"
    for module, name in ((loading, "read_interactions"), (benchmark, "benchmark"), (program.machine, "use")):
        monkeypatch.setattr(module, name, lambda *a, **k: pytest.fail(begun))


@pytest.mark.parametrize("command", WITH_FIGURES, ids=" ".join)
def test_an_ending_that_is_no_picture_is_refused_before_the_work(refused, monkeypatch, tmp_path, command):
    no_work(monkeypatch)
    for name in ("x.txt", "x", "x.csv"):
        path = tmp_path / name
        told = refused(*command, "--figure", path)
        assert told.startswith(f"{path}: no picture is written under the ending {path.suffix[1:]!r}: use one of .")
        assert {".png", ".svg", ".pdf"} <= {*told.split()}
        assert not path.exists()


@pytest.mark.parametrize("command", WITH_FIGURES, ids=" ".join)
@pytest.mark.parametrize("option", ["--json", "--figure", "--out"])
def test_a_folder_that_is_not_there_is_refused_before_the_work(refused, monkeypatch, tmp_path, command, option):
    no_work(monkeypatch)
    if option == "--out" and command[0] != "study":
        pytest.skip("it has no --out")
    for path in (tmp_path / "no" / "x.png", tmp_path):
        assert refused(*command, option, path) == f"{option} {path}: give a file in a folder that exists"
    assert not (tmp_path / "no").exists()


def test_an_order_by_chance_is_told_in_one_line(run, tmp_path):
    path = tmp_path / "at_once.csv"
    path.write_text("user,item,timestamp\n" + "".join(f"{user},{item},7\n" for user in range(20) for item in range(4)))
    code, _, err = run("pretrain", path, "--objective", "next-item", *SMALL, "--out", tmp_path / "model")
    told = [line for line in err.splitlines() if line.startswith("careful: ")]
    assert code == 0
    assert len(told) == 1
    assert "100% of a user's neighbouring events share their time" in told[0]
    assert "100% of a user's neighbouring events share their time: chance orders these" in err  # the reading's report


# ---- recommend to everyone, similar --------------------------------------------------------------------------


def test_a_list_for_everyone_in_a_file(run, shop, model, tmp_path):
    code, text, _ = run("recommend", model, "--users", "all", "--out", tmp_path / "lists.csv", "-k", "2")
    assert (code, text) == (0, text)
    assert text.startswith("20 users, 40 rows in ")
    rows = pd.read_csv(tmp_path / "lists.csv", dtype=str).to_dict("records")
    assert [row["rank"] for row in rows[:4]] == ["1", "2", "1", "2"]
    assert {row["title"] for row in rows} <= set(TITLES)
    had = {(row["user"], row["item"]) for row in pd.read_csv(shop, dtype=str).to_dict("records")}
    assert not had & {(row["user"], row["item"]) for row in rows}
    (tmp_path / "some.csv").write_text("user\n3\n5\n99\n")
    asked = ["recommend", model, "--users", tmp_path / "some.csv", "--out", tmp_path / "some.parquet", "-k", "5"]
    code, text, err = run(*asked, "--include-known")
    assert text.startswith("2 users, 10 rows in ")
    assert "1 of 3 users did nothing that is known: left out" in err


def test_who_has_all_that_may_be_shown_gets_no_row(run, model, shop, tmp_path):
    had = pd.read_csv(shop, dtype=str).groupby("user")["item"].agg(set)
    (user, items), *_ = had.items()
    (tmp_path / "items.csv").write_text("\n".join(["item", *items]))
    (tmp_path / "users.csv").write_text(f"user\n{user}\n")
    asked = ["recommend", model, "--out", tmp_path / "lists.csv", "-k", "1", "--items", tmp_path / "items.csv"]
    code, text, err = run(*asked, "--users", tmp_path / "users.csv")
    assert (code, text) == (2, "")
    assert "lists.csv: there is nothing to write" in err.splitlines()[-1]
    assert not list(tmp_path.glob("*lists*"))
    assert run(*asked, "--users", "all")[0] == 0
    assert user not in set(pd.read_csv(tmp_path / "lists.csv", dtype=str)["user"])


def test_what_may_be_shown_is_limited_and_explained(run, refused, model, tmp_path):
    (tmp_path / "items.csv").write_text("item\n11\n12\n77\n")
    only = ["--items", tmp_path / "items.csv"]
    code, text, err = run("recommend", model, "--liked", "10", *only, "-k", "2", "--json", "-")
    assert {row["item"] for row in json.loads(text)} == {11, 12}
    assert "1 of 3 items in" in err
    code, text, _ = run("recommend", model, "--liked", "10", "--liked", "11", "--explain", "-k", "2", "--json", "-")
    for row in json.loads(text):
        assert {why["because_title"] for why in row["because"]} == {TITLES[0], TITLES[1]}
        assert row["because"][0]["adds"] >= row["because"][1]["adds"]
    code, text, _ = run("recommend", model, "--liked", "10", "--liked", "11", "--explain", "-k", "2")
    assert re.search(rf"{re.escape(TITLES[0])} [+-]\d\.\d\d\d", text)
    assert "--genre Drama: the genres of these items are not known" in refused(
        "recommend", model, "--liked", "10", "--genre", "Drama"
    )
    code, text, _ = run("similar", model, "--item", "heat", "-k", "2", "--json", "-")
    assert (code, len(json.loads(text))) == (0, 2)
    assert "did you mean" in refused("similar", model, "--item", "haet")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--users", "all"], "--users needs --out FILE"),
        (["--users", "all", "--out", "lists.txx"], "lists.txx ends in '.txx'"),
        (["--users", "all", "--out", "lists.csv", "--explain"], "--explain is for --liked"),
        (["--liked", "10", "--out", "lists.csv"], "--out is for --users FILE|all"),
        (["--liked", "10", "--include-known"], "--include-known is for --users FILE|all"),
        (["--users", "gone.csv", "--out", "lists.csv"], "no file 'gone.csv': check the path"),
        (["--users", "all", "--out", "lists.csv", "-k", "9"], "k=9: it needs to be a whole number between 1 and 6"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(run, model, asked, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text, err = run("recommend", model, *asked)
    assert (code, text) == (2, "")
    assert message in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
