"""Three commands on a person's own two files, and what is said where one of them cannot be used."""

import gzip
import io
import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest

import recsys_tutorial as rt
from recsys_tutorial.cli import loading
from recsys_tutorial.cli import main as program
from recsys_tutorial.data import file_form, tables
from recsys_tutorial.learning import checkpoints
from recsys_tutorial.studies import judged

SMALL = ("--objective", "counting", "--dim", "8")


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
    """Run a command that must be refused -> its last line; nothing is on standard output."""

    def call(*arguments: object) -> str:
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        *_, last = err.splitlines()
        assert last.startswith("recsys-tutorial: ")
        return last.removeprefix("recsys-tutorial: ")

    return call


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop of 150 customers and 40 things: half of the customers are young, and buy other things than the old."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("shop")
    events = [(user, 20 * (user % 2) + item) for user in range(150) for item in rng.permutation(20)[:5]]
    log = pd.DataFrame([(f"c{user:03}", f"sku-{item}") for user, item in events], columns=["user", "item"])
    log.to_csv(folder / "log.csv", index=False)
    people, young = [f"c{user:03}" for user in range(60)], ["old", "young"] * 30
    pd.DataFrame({"customer": people, "group": young}).to_csv(folder / "classes.csv", index=False)
    values = [10 * (user % 2) + user / 60 for user in range(60)]
    pd.DataFrame({"user": people, "value": values}).to_parquet(folder / "v.pq")
    wanted = [(user, 20 * (user % 2) + item) for user in range(60) for item in rng.permutation(20)[:2]]
    wanted = [(people[user], f"sku-{item}") for user, item in wanted]
    pd.DataFrame(wanted, columns=["user", "item"]).to_csv(folder / "wanted.tsv", sep="\t", index=False)
    assert program.main(["pretrain", str(folder / "log.csv"), "--out", str(folder / "g"), *SMALL]) == 0
    return folder


@pytest.fixture(scope="module")
def tuned(shop):
    """The shop's model, fine-tuned to tell the young from the old."""
    files = [str(shop / "g"), str(shop / "classes.csv"), "--out", str(shop / "f")]
    assert program.main(["finetune", *files, "--label-columns", "user=customer,label=group"]) == 0
    return shop / "f"


# ---- what the commands do ------------------------------------------------------------------------------------


def test_finetune_reports_its_quality_beside_its_rivals(run, shop, tmp_path):
    out = tmp_path / "f"
    columns = "user=customer,label=group"
    code, text, err = run("finetune", shop / "g", shop / "classes.csv", "--out", out, "--label-columns", columns)
    assert code == 0
    assert "60 rows read as classification (column 'group' holds texts): 60 users, 'old' 30, 'young' 30; left" in err
    assert re.match(r"AUC [01]\.\d{3} \[\d\.\d{3}, 1\.000\] by 5-fold cross-validation inside 60 labelled users", text)
    for name in ("raw ridge", "raw ridge (idf)", "neighbours", "counting + probe", "pretrained + probe"):
        assert f"  {name} " in text
    assert "worth it here" in text
    assert "Its probabilities are calibrated: Brier score 0.0" in text
    assert text.endswith(f"probe, 60 labels, written to {out}\n")
    model = rt.load_model(out)
    assert model.origin["classes"] == ["old", "young"]
    assert model.origin["report"]["text"] in text
    code, told, _ = run("doctor", out)
    assert model.origin["report"]["text"] in told
    assert "classes            ['old', 'young']" in told
    code, told, _ = run("doctor", out, "--json", "-")
    assert json.loads(told)[1:] == model.origin["report"]["records"]
    assert "no report" in run("doctor", shop / "g")[1]
    records = {row["metric"] for row in json.loads(told) if "metric" in row}
    assert {"auc", "brier", "calibration_error"} <= records


def test_predict_gives_each_user_a_class_with_probabilities_that_add_up(run, tuned, tmp_path):
    code, text, _ = run("predict", tuned, "--users", "all", "--out", tmp_path / "all.csv")
    assert code == 0
    assert text.startswith("150 users in ")
    found = pd.read_csv(tmp_path / "all.csv")
    assert found.columns.tolist() == ["user", "class", "probability_old", "probability_young"]
    assert found["user"].tolist() == [f"c{user:03}" for user in range(150)]
    right = [("old", "young")[user % 2] for user in range(150)]
    assert (found["class"] == right).mean() > 0.95
    assert np.allclose(found[["probability_old", "probability_young"]].sum(axis=1), 1)
    (tmp_path / "some.csv").write_text("user\nc149\nc003\nc149\nnobody\n")
    code, _, err = run("predict", tuned, "--users", tmp_path / "some.csv", "--out", tmp_path / "some.parquet")
    assert code == 0
    assert "1 of 3 users did nothing that is known: left out" in err
    some = pd.read_parquet(tmp_path / "some.parquet")
    assert some["user"].tolist() == ["c003", "c149"]
    assert some["class"].tolist() == ["young", "young"]


def test_values_and_rankings_too(run, shop, tmp_path):
    assert run("finetune", shop / "g", shop / "v.pq", "--out", tmp_path / "v", "--strategy", "probe")[0] == 0
    assert run("predict", tmp_path / "v", "--users", "all", "--out", tmp_path / "v.csv")[0] == 0
    values = pd.read_csv(tmp_path / "v.csv")["value"]
    assert values[1::2].mean() - values[::2].mean() > 5
    code, text, err = run("finetune", shop / "g", shop / "wanted.tsv", "--out", tmp_path / "r")
    assert code == 0
    assert "wanted events taken out of the behaviour" in err
    assert "to judge, g was pretrained anew without it" in text
    assert text.startswith("NDCG ")
    assert run("predict", tmp_path / "r", "--users", "all", "-k", 3, "--out", tmp_path / "r.parquet")[0] == 0
    ranked = pd.read_parquet(tmp_path / "r.parquet")
    assert ranked.columns.tolist() == ["user", "item_1", "item_2", "item_3"]
    log = pd.read_csv(shop / "log.csv").groupby("user")["item"].agg(set)
    for row in ranked.itertuples(index=False):
        assert not log[row.user] & {row.item_1, row.item_2, row.item_3}
        assert len({row.item_1, row.item_2, row.item_3}) == 3
    assert rt.Recommender.load(tmp_path / "r").recommend(["sku-1", "sku-2"], k=3)["item"].str.startswith("sku-").all()


def test_newer_behaviour_with_unknown_people_and_things(run, tuned, shop, tmp_path):
    (tmp_path / "new.csv").write_text("who,sku\nzoe,sku-1\nzoe,sku-3\nzoe,sku-99\nyan,sku-25\nyan,sku-30\nxu,sku-98\n")
    how = ("--behaviour", tmp_path / "new.csv", "--columns", "user=who,item=sku")
    code, _, err = run("predict", tuned, "--users", "all", "--out", tmp_path / "p.csv", *how)
    assert code == 0
    assert "2 events on 2 items that " in err
    found = pd.read_csv(tmp_path / "p.csv").set_index("user")["class"]
    assert found.to_dict() == {"zoe": "old", "yan": "young"}


def test_evaluate_takes_fine_tuned_folders_on_labels_of_others(run, refused, shop, tuned, tmp_path):
    rows = [f"c{user:03},{('old', 'young')[user % 2]}" for user in range(50, 150)]
    (tmp_path / "others.csv").write_text("\n".join(["user,label", *rows]))
    arguments = ("evaluate", shop / "log.csv", "--labels", tmp_path / "others.csv", "--model", tuned)
    code, text, _ = run(*arguments)
    assert code == 0
    assert f"classification, {tmp_path / 'others.csv'}, 10 that were learned from left out" in text
    (area, score) = json.loads(run(*arguments, "--json", "-")[1])
    assert (area["metric"], area["users"], area["without"]) == ("auc", 90, 10)
    assert area["ci_low"] <= area["value"] <= area["ci_high"] == 1
    assert area["value"] > 0.95
    assert score["metric"] == "brier"
    assert refused("evaluate", shop / "log.csv", "--model", tuned) == (
        f"{tuned} does classification, it ranks no items: evaluate it with --labels FILE"
    )
    assert "--labels is for folders of finetune, 'ease' is none" in refused(*arguments[:-1], "ease")
    assert "was not fine-tuned for classification" in refused(*arguments[:-1], shop / "g")
    (tmp_path / "other.csv").write_text("\n".join(["user,label", *[row.replace("old", "ancient") for row in rows]]))
    assert "does not know the class 'ancient' of these labels: it tells old, young" in refused(
        "evaluate", shop / "log.csv", "--labels", tmp_path / "other.csv", "--model", tuned
    )
    columns = ("--label-columns", "user=customer,label=group")
    assert refused("evaluate", shop / "log.csv", "--labels", shop / "classes.csv", *columns, "--model", tuned) == (
        "all 60 labelled users were learned from: give labels of others"
    )


def test_update_goes_on_and_its_folder_says_what_happened(run, refused, shop, tmp_path):
    rows = [f"c{user:03},sku-{20 * (user % 2) + 19 - user % 5}" for user in range(40)]
    more = [f"n{user},sku-{20 * (user % 2) + item}" for user in range(12) for item in (1, 3, 5, 77)]
    (tmp_path / "more.csv").write_text("\n".join(["who,sku", *rows, *more]) + "\n")
    columns = ("--columns", "user=who,item=sku")
    assert run("pretrain", shop / "log.csv", "--out", tmp_path / "g", "--epochs", "2", "--dim", "8")[0] == 0
    asked = ("update", tmp_path / "g", tmp_path / "more.csv", *columns, "--epochs", "1")
    code, text, _ = run(*asked, "--out", tmp_path / "g2")
    assert code == 0
    assert "events of 'more.csv' (2 new items, 12 new users), 1 epochs at a rate of " in text
    told = run("doctor", tmp_path / "g2")[1]
    assert "updated            by 88 events of 'more.csv'" in told
    assert rt.load_model(tmp_path / "g2").origin["report"]["text"] in told
    # Its data, both files, is found again: everybody gets a list, and it goes on once more.
    code, text, _ = run("recommend", tmp_path / "g2", "--users", "all", "--out", tmp_path / "l.csv", "-k", "2")
    assert text.startswith("162 users, 324 rows")
    (tmp_path / "last.csv").write_text("who,sku\nn0,sku-9\n")
    again = ("update", tmp_path / "g2", tmp_path / "last.csv", *columns, "--epochs", "1", "--out", tmp_path / "g3")
    assert "; then by 1 events of 'last.csv' (0 new items, 0 new users)" in run(*again)[1]
    assert "'counting' is solved, not trained: pretrain anew" in refused(
        "update", shop / "g", tmp_path / "more.csv", *columns, "--out", tmp_path / "g4"
    )
    assert "is the old model itself" in refused(*asked, "--out", tmp_path / "g", "--overwrite")
    (tmp_path / "more.csv").unlink()
    assert "was pretrained on" in refused(*again[:-1], tmp_path / "g5")
    assert not (tmp_path / "g4").exists()
    assert not (tmp_path / "g5").exists()


def test_more_is_read_as_the_model_s_own_data_was(run, refused, shop, tmp_path):
    log = pd.read_csv(shop / "log.csv").rename(columns={"user": "who", "item": "sku"})
    log.to_csv(tmp_path / "log.csv", index=False)
    log.head(40).assign(sku="sku-new").drop_duplicates().to_csv(tmp_path / "more.csv", index=False)
    columns, model, lists = ("--columns", "user=who,item=sku"), tmp_path / "g", tmp_path / "l.csv"
    how = ("--epochs", "1", "--dim", "8")
    assert run("pretrain", tmp_path / "log.csv", *columns, "--out", model, *how)[0] == 0
    code, text, _ = run("update", model, tmp_path / "more.csv", "--epochs", "1", "--out", tmp_path / "g2")
    assert (code, "1 new items" in text) == (0, True)
    assert run("recommend", tmp_path / "g2", "--users", "all", "--out", lists)[0] == 0
    more = ("--users", "all", "--out", lists, "--behaviour")
    assert run("recommend", model, *more, tmp_path / "log.csv")[0] == 0
    assert "no column 'who'" in refused("recommend", model, *more, shop / "log.csv")
    assert run("recommend", model, *more, shop / "log.csv", "--columns", "user=user,item=item")[0] == 0


# ---- what cannot be done -------------------------------------------------------------------------------------


def test_each_mistake_gets_one_line_with_the_way_out(refused, shop, tuned, tmp_path):
    labels, bare = shop / "v.pq", tmp_path / "bare.csv"
    bare.write_text("c001\nc002\n")
    for arguments, message in (
        (["recommend", tuned, "--users", "all", "--out", tmp_path / "l.csv"], "what this one says of users, predict"),
        (["predict", tuned, "--users", bare, "--out", tmp_path / "p.csv"],
         "bare.csv: its first line, 'c001', is itself a known user: write 'user' above it"),
        (["finetune", shop / "nothing", labels, "--out", tmp_path / "f"], "no model in "),
        (["finetune", shop / "g", shop / "lables.csv", "--out", tmp_path / "f"], "no file "),
        (["finetune", shop / "g", labels, "--out", tuned],
         "(counting on 'log.csv'): give another folder, or overwrite=True to replace it once"),
        (["finetune", shop / "g", labels, "--out", shop / "g", "--overwrite"], "is the pretrained model itself"),
        (["finetune", shop / "g", labels, "--out", tmp_path / "f", "--task", "ranking"], "labels need user and one of"),
        (["finetune", shop / "g", labels, "--out", tmp_path / "f", "--label-columns", "who=user"],
         "--label-columns 'who=user': write it as"),
        (["finetune", shop / "g", labels, "--out", tmp_path / "f", "--behaviour", labels], "has no column 'item'"),
        (["predict", tuned, "--users", "all", "--out", tmp_path / "p.xlsx"], "write to one of .csv .tsv .txt"),
        (["predict", tuned, "--users", tmp_path / "no.csv", "--out", tmp_path / "p.csv"], "no file "),
        (["predict", tuned, "--users", "all", "--out", tmp_path / "no" / "p.csv"], "give a file in a folder that"),
        (["advise", shop / "log.csv", shop / "log.csv"], "no labelled user is left with behaviour"),
    ):  # fmt: skip
        assert message in refused(*arguments)
    assert not (tmp_path / "f").exists()
    assert not list(tmp_path.glob("p.*"))


def test_data_that_has_changed_or_gone_is_noticed(refused, run, shop, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text((shop / "log.csv").read_text())
    assert run("pretrain", log, "--out", tmp_path / "g", *SMALL)[0] == 0
    with open(log, "a") as file:
        file.write("c000,sku-0\n" if "c000,sku-0\n" not in log.read_text() else "c000,sku-39\n")
    told = refused("finetune", tmp_path / "g", shop / "v.pq", "--out", tmp_path / "f")
    assert re.search(r"has changed since .* was pretrained on it .* give it as --behaviour", told)
    log.unlink()
    told = refused("finetune", tmp_path / "g", shop / "v.pq", "--out", tmp_path / "f")
    assert "now gone: give --behaviour FILE" in told
    model = rt.pretrain("counting", rt.read_interactions(shop / "log.csv"), dim=4)
    rt.save_model(tmp_path / "h", model)
    told = refused("finetune", tmp_path / "h", shop / "v.pq", "--out", tmp_path / "f")
    assert told == f"{tmp_path / 'h'} does not say where its data lies: name a file with --behaviour FILE"


def test_nothing_is_left_half_written(shop, tuned, tmp_path, monkeypatch):
    def pieces():
        yield pd.DataFrame({"user": [1, 2]})
        raise KeyboardInterrupt

    for name in ("p.csv", "p.parquet"):
        (tmp_path / name).write_text("old")
        with pytest.raises(KeyboardInterrupt):
            tables.write_table(tmp_path / name, pieces())
        assert (tmp_path / name).read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "p.parquet"]

    arguments = ["finetune", str(shop / "g"), str(shop / "v.pq"), "--out", str(tmp_path / "f"), "--strategy", "probe"]
    assert program.main(arguments) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "f").iterdir()}
    for module, name in ((judged, "finetune"), (checkpoints, "write_tensors")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, lambda *args, **how: (_ for _ in ()).throw(KeyboardInterrupt))
            assert program.main([*arguments, "--overwrite"]) == 130
        assert {path.name: path.read_bytes() for path in (tmp_path / "f").iterdir()} == before


# ---- files as people have them -------------------------------------------------------------------------------


def test_two_files_of_a_german_shop(run, refused, shop, tmp_path, monkeypatch):
    log = pd.read_csv(shop / "log.csv").assign(stars="4,5", when="31.12.2019 14:05")
    written = log.replace("sku", "Söckchen", regex=True).to_csv(sep=";", index=False, header=False).encode("latin-1")
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(written))
    classes = (shop / "classes.csv").read_text().replace("young", "jünger")
    (tmp_path / "l.csv").write_bytes(classes.encode("utf-16"))
    how = ("--columns", "user=1,item=2,rating=3,timestamp=4", "--encoding", "latin-1", "--decimal", ",",
           "--time-format", "%d.%m.%Y %H:%M")  # fmt: skip
    code, _, err = run("pretrain", tmp_path / "log.csv.gz", "--out", tmp_path / "g", *how, *SMALL)
    assert code == 0
    assert "150 users × 40 items, 750 events" in err
    assert "weights: 4.5 to 4.5" in err
    assert "times: 2019-12-31 to 2019-12-31" in err
    labels = ("--label-columns", "user=customer,label=group")
    told = refused("finetune", tmp_path / "g", tmp_path / "l.csv", "--out", tmp_path / "f", *labels)
    assert told.endswith("perhaps encoding='utf-16' (in a command: --encoding utf-16)")
    for other in (("--encoding", "utf-16"), ("--encoding", "latin-1", "--label-encoding", "utf-16", "--overwrite")):
        code, _, err = run("finetune", tmp_path / "g", tmp_path / "l.csv", "--out", tmp_path / "f", *labels, *other)
        assert code == 0  # the data is found again, and read as it was
        assert "60 users, 'jünger' 30, 'old' 30" in err
    (tmp_path / "u.csv").write_bytes("user\nc003\n".encode("utf-16"))
    arguments = ("predict", tmp_path / "f", "--users", tmp_path / "u.csv", "--out", tmp_path / "p.csv")
    assert run(*arguments, "--encoding", "utf-16")[0] == 0
    assert (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()[1].startswith('"c003","jünger",')
    file_form._standard_input.cache_clear()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(written)))
    assert run("pretrain", "-", "--out", tmp_path / "h", *how, *SMALL)[0] == 0
    of_file, piped = (rt.load_model(tmp_path / name).origin["data_fingerprint"] for name in "gh")
    assert of_file == piped
    told = refused("finetune", tmp_path / "h", tmp_path / "l.csv", "--out", tmp_path / "k", *labels, *other)
    assert told == f"{tmp_path / 'h'} does not say where its data lies: name a file with --behaviour FILE"
    file_form._standard_input.cache_clear()


def test_the_command_to_run_next_has_the_options_for_its_files(monkeypatch):
    given = ["a b.csv", "l.csv", "--columns", "user=1,item=2", "--encoding", "latin-1", "--no-strict",
             "--label-decimal", ",", "--task", "regression", "--time-format", "%d.%m.%Y %H:%M"]  # fmt: skip
    args = program.parser().parse_args(["advise", *given])
    data, labels = loading.data_as_given(args), loading.labels_as_given(args)
    assert data == ("'a b.csv' --encoding latin-1 --time-format '%d.%m.%Y %H:%M' --columns user=1,item=2 --no-strict")
    assert labels == "l.csv --task regression --label-encoding latin-1 --label-decimal ,"
    again = program.parser().parse_args(shlex.split(f"advise {data} {labels}"))
    assert loading.Reading.of(again) == loading.Reading.of(args)
    assert program.parser().parse_args(shlex.split(f"finetune g {labels} --out f")).label_decimal == ","
    monkeypatch.setenv("RECSYS_TUTORIAL_COMMAND", "python start.py")  # then it is told as it was typed
    assert program.parser().format_usage().startswith("usage: python start.py ")
    plain = program.parser().parse_args(["advise", "a.csv", "l.csv"])
    assert (loading.data_as_given(plain), loading.labels_as_given(plain)) == ("a.csv", "l.csv")


def test_what_cannot_be_asked_is_refused_before_anything_is_trained(refused, shop, monkeypatch):
    monkeypatch.setattr("recsys_tutorial.cli.commands.evaluate.model_by_name", None)
    for arguments, message in (
        (["--k", "10,41"], "k=41: it needs to be a whole number between 1 and 40, the number of items"),
        (["--metric", "ndgc"], "unknown metric 'ndgc': did you mean 'ndcg'?"),
        (["--metric", "ndcg,recall,ndcg"], "argument --metric: 'ndcg,recall,ndcg' names 'ndcg' twice: once is enough"),
        (["--model", "ease,ease"], "argument --model: 'ease,ease' names 'ease' twice: once is enough"),
        (["--model", "ease,eas"], "unknown model 'eas': did you mean 'ease'?"),
        (["--sampled", "40"], "sampled=40: there are only 40 items"),
    ):
        assert refused("evaluate", shop / "log.csv", *arguments).startswith(message)


def test_no_bar_is_drawn_where_nobody_looks(run, shop):
    code, text, err = run("evaluate", shop / "log.csv", "--model", "denoising", "--k", "3")
    assert code == 0
    assert text.count("denoising") == 2
    assert "%|" not in err
    assert "it/s" not in err


def test_data_without_anything_relevant_says_what_is_relevant(refused, shop, tmp_path):
    pd.read_csv(shop / "log.csv").assign(rating=-1).to_csv(tmp_path / "n.csv", index=False)
    told = refused("evaluate", tmp_path / "n.csv")
    assert "an event counts as relevant where its weight is above 0, and of the" in told
    way = "shift the weights, binarise(at_least=...) them, or leave their column out"
    assert told.endswith(f"none is (their weights are -1 to -1): {way}")
