"""Messages that name the nearest thing."""

from __future__ import annotations

import difflib
import random

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial import errors
from recsys_tutorial.errors import InputError, MissingFileError, nearest, unknown


def test_nearest_ignores_case_and_puts_the_best_first():
    assert nearest("HEATT", ["Beat", "heat", "Casino"]) == ["heat", "Beat"]
    assert nearest("heat", ["Heats", "Heat", "Heaths"], n=2) == ["Heat", "Heats"]
    assert len(nearest("heat", ["Heat", "Heats", "Heath", "Wheat", "Beat"])) == 3
    assert nearest("xyz", ["Heat"]) == []


def test_among_many_names_few_are_compared_letter_by_letter(monkeypatch):
    draw = random.Random(0)
    words = ["the", "lion", "king", "story", "night", "über", "映画", "of", "last", "toy", "days", "return"]
    titles = [" ".join(draw.choices(words, k=5)) + f" {number}" for number in range(20_000)]
    compared, whole = [], difflib.get_close_matches
    monkeypatch.setattr(
        errors.difflib, "get_close_matches", lambda *a, **k: compared.append(len(a[1])) or whole(*a, **k)
    )
    for title in draw.sample(titles, 20):
        place = draw.randrange(len(title) - 1)
        typo = title[:place] + title[place + 1 :].upper()
        found = nearest(typo, titles)
        assert difflib.SequenceMatcher(None, typo.casefold(), found[0]).ratio() >= (
            difflib.SequenceMatcher(None, typo.casefold(), title).ratio()
        )
    assert set(compared) == {errors.MOST_COMPARED}
    assert nearest("zzqxj", titles) == []
    assert nearest("Heatt", ["Heat", "a\nb", *titles]) == ["Heat"]
    monkeypatch.undo()
    assert nearest("", titles) == []


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("denoisin", ["denoising", "other"], "unknown objective 'denoisin': did you mean 'denoising'?"),
        ("heat", ["heat1", "heat2"], "unknown objective 'heat': did you mean 'heat2' or 'heat1'?"),
        (7, ["a", "b"], "unknown objective 7: choose from 'a', 'b'"),
        ("x", map(str, range(12)), "unknown objective 'x': choose from " + ", ".join(f"'{i}'" for i in range(12))),
    ],
)
def test_unknown_suggests_the_nearest_or_lists_what_there_is(name, known, message):
    assert str(unknown("objective", name, known)) == message


def test_unknown_lists_no_more_than_twelve():
    assert str(unknown("user", "x", map(str, range(13)))).endswith("'10', '11', ... (13 in all)")
    message = str(unknown("user", "x", map(str, range(1000))))
    assert message.endswith("'10', '11', ... (1000 in all)")
    assert "'12'" not in message


def test_errors_are_of_the_kinds_that_callers_catch():
    assert issubclass(InputError, ValueError)
    assert issubclass(MissingFileError, InputError)
    assert issubclass(MissingFileError, FileNotFoundError)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("a" * 1000, "a" * 1000),
        ("a" * 1000 + "b", "a" * 600 + " ... " + "a" * 299 + "b"),
    ],
)
def test_a_message_is_cut_in_the_middle_where_it_grows_too_long(message, said):
    assert str(InputError(message)) == said


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_numpys_whole_numbers_are_whole_numbers(kind, board):
    split = rt.splits.held_out_users(board, seed=kind(0))
    model = rt.pretrain("denoising", board, epochs=kind(2), dim=kind(4), batch_size=kind(20), seed=kind(1))
    assert rt.Recommender(model).recommend([1], k=kind(3)).shape == (3, 4)
    assert set(rt.evaluate(model, split, "ndcg", kind(5), seed=kind(2), progress=False)["k"]) == {5}
    assert rt.metrics.top_k(np.eye(3), kind(2)).shape == (3, 2)
    same = rt.pretrain("denoising", board, epochs=2, dim=4, batch_size=20, seed=1)
    np.testing.assert_array_equal(model.score(board), same.score(board))


def test_settings_from_numpy_are_stored_as_plain_numbers(board, tmp_path):
    numbers = dict(epochs=np.int64(1), learning_rate=np.float32(0.25), weight_decay=np.float64(0), dim=np.int16(4))
    rt.pretrain("denoising", board, checkpoint=tmp_path, seed=np.int64(3), **numbers)
    origin = rt.load_model(tmp_path).origin
    assert (origin["epochs"], origin["learning_rate"], origin["seed"], origin["dim"]) == (1, 0.25, 3, 4)
    plain = dict(seed=3, epochs=1, learning_rate=0.25, weight_decay=0, dim=4)
    again = rt.pretrain("denoising", board, checkpoint=tmp_path, resume=True, **plain)
    assert again.origin == origin


@pytest.mark.parametrize("wrong", [True, 1.0, np.float64(2), "3", None, np.array([1])])
def test_what_is_no_whole_number_is_named(wrong, board):
    with pytest.raises(rt.InputError, match="it needs to be a whole number between 1 and 3"):
        rt.metrics.top_k(np.eye(3), wrong)
    with pytest.raises(rt.InputError, match=r"^seed=.*: it needs to be a whole number of at least 0"):
        rt.pretrain("denoising", board, seed=wrong, epochs=1)


def test_where_nothing_is_left_it_is_said(board):
    model = rt.Recommender(rt.pretrain("denoising", board, epochs=1, dim=4))
    with pytest.raises(rt.InputError, match="k=10: there are no items to choose from left: all were liked"):
        model.recommend(list(range(20)), k=10)
