"""Cross-validation inside labelled users: its intervals cover the truth, and it finds help where there is some."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import recsys_tutorial as rt
from recsys_tutorial.evaluation.out_of_fold import deal, judge
from recsys_tutorial.studies import inside
from recsys_tutorial.studies.inside import FOLDS, Labelled, compare_inside, rivals, without_wanted
from recsys_tutorial.studies.worth import NO, UNSHOWN, YES, Worth
from recsys_tutorial.tasks import ClassificationTask, RankingTask, RegressionTask


def crowd(seed: int, users: int = 900, items: int = 40, spread: float = -1.6) -> tuple[rt.Interactions, np.ndarray]:
    """People of three invented tastes, with what they did by them, and the first taste, seen through noise."""
    rng = np.random.default_rng(seed)
    taste, fit = rng.normal(size=(users, 3)), rng.normal(size=(items, 3))
    did = rng.random((users, items)) < 1 / (1 + np.exp(-(taste @ fit.T + 0.5 * rng.normal(size=items) + spread)))
    did[np.arange(users), rng.integers(items, size=users)] = True
    return rt.from_events(*np.nonzero(did), name="crowd"), 1.5 * taste[:, 0] + rng.normal(size=users)


def labelled(data: rt.Interactions, told: np.ndarray, n: int, seed: int = 0) -> tuple[rt.ClassificationTask, ...]:
    """Whether ``told`` is high: of n people, and of all others."""
    task = rt.ClassificationTask(data, (told > np.quantile(told, 0.6)).astype(int))
    rows = np.random.default_rng(seed).permutation(len(task))
    return task.take(rows[:n]), task.take(rows[n:])


# ---- values and their influences -----------------------------------------------------------------------------


def test_area_is_sklearns_in_one_fold_and_the_mean_by_pairs_in_several():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(2, size=60), rng.normal(size=(60, 2)).round(1)  # with ties
    task = rt.ClassificationTask(crowd(0)[0].take_users(range(60)), labels)
    fold = np.arange(60) % 3
    area = [roc_auc_score(labels[fold == f], (scores[:, 1] - scores[:, 0])[fold == f]) for f in range(3)]
    pairs = [(labels[fold == f] == 0).sum() * (labels[fold == f] == 1).sum() for f in range(3)]
    assert judge(task, fold * 0, scores).value == pytest.approx(roc_auc_score(labels, scores[:, 1] - scores[:, 0]))
    assert judge(task, fold, scores).value == pytest.approx(np.average(area, weights=pairs))


@pytest.mark.parametrize("kind", ["classification", "three classes", "regression", "ranking"])
def test_influence_is_how_the_value_changes_when_one_user_counts_more(kind):
    """The spread of the value over bootstraps of the users is what their influences say."""
    rng = np.random.default_rng(1)
    n, data = 200, crowd(1)[0].take_users(range(200))
    fold = np.zeros(n, int)
    if kind == "ranking":
        task, said = RankingTask(data, data), rng.random(n)
        said[:20] = np.nan
    elif kind == "regression":
        task = RegressionTask(data, rng.normal(size=n))
        said = rng.normal(size=(n, 1))
    else:
        labels = rng.integers(3 if kind == "three classes" else 2, size=n)
        task, k = ClassificationTask(data, labels), labels.max() + 1
        said = np.eye(k)[labels] + rng.normal(size=(n, k))
    found = judge(task, fold, said)
    error = np.sqrt((found.influence**2).sum()) / n
    assert abs(found.influence.sum()) < 1e-6 * n
    drawn = []
    for _ in range(300):
        rows = rng.integers(n, size=n)
        drawn.append(judge(task.take(rows), fold, said[rows]).value)
    assert error == pytest.approx(np.std(drawn), rel=0.15)


def test_a_perfect_order_of_few_users_leaves_doubt():
    task = rt.ClassificationTask(crowd(0)[0].take_users(range(20)), np.arange(20) % 2)
    found = judge(task, np.zeros(20, int), np.eye(2)[task.labels] + np.linspace(0, 0.1, 20)[:, None])
    assert found.value == 1
    value, low, high = found.interval(task)
    assert (value, high) == (1, 1)
    assert low == pytest.approx(1 - 2.093 * 0.05, abs=1e-3)  # one of ten users on the wrong side is .1


def test_folds_have_as_much_of_each_label():
    data, told = crowd(0)
    task, _ = labelled(data, told, 103)
    fold = deal(task, FOLDS, 0)
    counts = np.array([np.bincount(task.labels[fold == f], minlength=2) for f in range(FOLDS)])
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert not np.array_equal(fold, deal(task, FOLDS, 1))
    values = rt.RegressionTask(task.behaviour, told[:103])
    means = [values.labels[deal(values, FOLDS, 0) == f].mean() for f in range(FOLDS)]
    assert np.ptp(means) < 0.2 * values.labels.std()


# ---- honest --------------------------------------------------------------------------------------------------


def test_interval_covers_the_quality_on_the_unlabelled_rest():
    covered, gains = 0, 0
    for seed in range(100):
        data, told = crowd(seed, users=600, items=30)
        task, rest = labelled(data, told, 80, seed)
        comparison = compare_inside(task, data, seed, rt.pretrain("counting", data, dim=8))
        names = ["pretrained + probe", "raw ridge"][: 1 + (seed < 40)]
        comparison.run(names, progress=False)
        true = [rest.value(comparison.world_of(0).fit(name, task).score(rest.behaviour)) for name in names]
        _, low, high = comparison.judged[names[0]].interval(task)
        covered += low <= true[0] <= high
        if len(names) > 1:
            gain = comparison.judged[names[0]].minus(comparison.judged[names[1]], task)
            gains += gain.low <= true[0] - true[1] <= gain.high
        assert 0.1 < high - low < 0.4
    assert covered >= 90
    assert gains >= 36


def test_no_help_is_seldom_taken_for_help():
    """Labels that hang on nothing, or on one item, which the raw rivals read as well as g can."""
    yes = 0
    for seed in range(40):
        data, _ = crowd(seed, users=300, items=20)
        rng = np.random.default_rng(seed)
        has = np.asarray(data.matrix[:, [3]].todense()).ravel() > 0 if seed % 2 else rng.random(data.n_users) > 0.5
        task, _ = labelled(data, has + 0.1 * rng.normal(size=data.n_users), 60, seed)
        comparison = compare_inside(task, data, seed, rt.pretrain("counting", data, dim=8))
        without = ["raw ridge", "raw ridge (idf)", "neighbours"]
        comparison.run([*without, "pretrained + probe"], progress=False)
        yes += Worth(comparison, "pretrained + probe", without, [], 0.95).verdict == YES
    assert yes <= 2


def shop(seed: int, users: int = 3000, items: int = 2400) -> tuple[rt.Interactions, np.ndarray]:
    """Six groups of customers who buy three things, most from their group's; whether a group is odd, with noise."""
    rng = np.random.default_rng(seed)
    group, own, noise = rng.integers(6, size=users)[:, None], rng.random((users, 3)) < 0.9, rng.random(users) < 0.15
    bought = np.where(own, 6 * rng.integers(items // 6, size=(users, 3)) + group, rng.integers(items, size=(users, 3)))
    data = rt.from_events(np.repeat(np.arange(users), 3), bought.ravel(), duplicates="last", name="shop")
    return data, (group % 2).ravel() ^ noise


def test_help_is_found_and_told():
    """Three hundred customers have seen a fifth of what a customer buys, g has seen nearly all of it."""
    without, found = ["raw ridge", "raw ridge (idf)", "neighbours", "label mean"], []
    for seed in range(6):
        data, odd = shop(seed)
        task = rt.ClassificationTask(data, odd).take(np.random.default_rng(seed).permutation(3000)[:300])
        comparison = compare_inside(task, data, 0)
        comparison.run([*without, "counting + probe"], progress=False)
        found.append(Worth(comparison, "counting + probe", without, []).verdict)
    assert found.count(YES) >= 5
    comparison.run(["pca + probe"], progress=False)
    worth = Worth(comparison, "counting + probe", without, ["counting + probe", "pca + probe"])
    assert worth.verdict == YES
    assert worth.sentence().startswith("Pretraining was worth it here: counting + probe is better than every rival")
    few, many, _ = worth.labels_needed
    assert 60 <= few < many == 240
    back = Worth(comparison, "label mean", ["counting + probe"], [])
    assert back.verdict == NO
    assert "was not worth it here: counting + probe, without it, is better than label mean by +" in back.sentence()
    records = worth.records()
    assert {row["role"] for row in records if "role" in row} == {"without", "linear"}
    assert records[-1]["verdict"] == YES
    (gain,) = [row for row in records if row.get("comparison") == "gain_without_pretraining"]
    assert 0 < gain["ci_low"] < gain["value"] < gain["ci_high"]
    same = Worth(comparison, "raw ridge", ["raw ridge (idf)"], [])
    assert same.verdict == UNSHOWN
    assert "which chance alone can do" in same.sentence()


# ---- what may be known where ---------------------------------------------------------------------------------


def test_g_never_reads_what_the_tested_did():
    data, told = crowd(0, users=120)
    for n, worlds in ((30, 1), (60, 2)):  # at most a third of everybody; more
        task, _ = labelled(data, told, n)
        comparison = compare_inside(task, data, 0)
        assert len({id(comparison.world_of(number)) for number in range(FOLDS)}) == worlds
        for number in range(FOLDS):
            known = set(comparison.world_of(number).behaviour.user_ids.tolist())
            _, test = comparison.sides(comparison.folds[0], number)
            assert not known & set(task.behaviour.user_ids[test].tolist())
            assert len(known) >= 120 - n
    model = rt.pretrain("counting", data, dim=4)
    assert compare_inside(task, data, 0, model).world_of(0).behaviour.n_users == 120  # it has read them anyway


def test_nobodys_wanted_items_are_in_what_is_pretrained_on(tmp_path, board):
    path = tmp_path / "wanted.csv"
    firsts = {user: board.item_ids[board.take_users([user]).items[:2]].tolist() for user in range(30)}
    pairs = {(user, item) for user, items in firsts.items() for item in items}
    path.write_text("user,item\n" + "".join(f"{user},{item}\n" for user, item in sorted(pairs)))
    task = rt.read_labels(path, board)
    left = without_wanted(board, task)
    rows = np.repeat(left.user_ids, left.events_per_user)
    assert not pairs & set(zip(rows.tolist(), left.item_ids[left.items].tolist(), strict=True))
    assert left.n_events == board.n_events - len(pairs)
    assert without_wanted(board, rt.ClassificationTask(board, np.arange(40) % 2)) is board


def test_rivals_fit_the_task_and_all_of_them_run(tmp_path, board, monkeypatch):
    data, told = crowd(0, users=150)
    classes, _ = labelled(data, told, 40)
    values = rt.RegressionTask(classes.behaviour, told[:40])
    path = tmp_path / "wanted.csv"
    pairs = [f"{user},{10 * (user % 2) + item}\n" for user in range(40) for item in range(2)]
    path.write_text("user,item\n" + "".join(pairs))
    wanted = rt.read_labels(path, board)
    for task, where in ((classes, data), (values, data), (wanted, board)):
        without, linear = rivals(task)
        comparison = compare_inside(task, where, 0)
        comparison.run([*without, *linear], progress=False)
        assert set(comparison.judged) == {*without, *linear}
        assert all(np.isfinite(one.interval(task)).all() for one in comparison.judged.values())
        assert len(comparison.told().splitlines()) == len(comparison.judged)
    assert "raw logistic" in rivals(classes)[0]
    assert "raw logistic" not in rivals(values)[0]
    assert "ease (labelled)" in rivals(wanted)[0]
    assert "ease + no labels" in rivals(wanted)[1]
    monkeypatch.setattr(inside, "MOST_ITEMS", 19)  # a table of all items by all items would be too large
    assert rivals(wanted)[1] == ["pca + no labels", "counting + probe"]
    assert Labelled(wanted, board).beside("pretrained") == []
    with pytest.raises(rt.InputError, match="6 labelled users with behaviour: to judge a model by them takes"):
        compare_inside(classes.take(np.arange(6)), data)
    assert Labelled(classes, data).blank().feature_extractor.n_items == data.n_items
