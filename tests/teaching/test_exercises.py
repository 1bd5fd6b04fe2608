"""Every check of an exercise takes the notebook's own solution, and refuses what people get wrong."""

import re

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.teaching.exercises import EXERCISES, base, check, compared, hint

MISTAKES = [(name, what) for name, exercise in EXERCISES.items() for what in exercise.mistakes]


@pytest.mark.parametrize(("name", "what"), MISTAKES)
def test_a_named_wrong_answer_is_refused(name, what):
    verdict = check(name, EXERCISES[name].mistakes[what])
    assert verdict.done is False
    assert verdict.said.startswith(f"{name}: not yet. ")
    assert "stopped with" not in verdict.said
    if "I asked for" in verdict.said:  # compared with all the mistakes: it is this one that it looks like
        assert f"An answer that {what} looks like this." in verdict.said


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_an_exercise_is_complete(exercise):
    assert re.fullmatch(r"\d\d-[a-z]+", exercise.name)
    assert len(exercise.mistakes) >= 3
    assert exercise.goal.endswith(".")
    assert hint(exercise.name) == exercise.hint != exercise.goal


@pytest.mark.parametrize("nothing", [None, ..., NotImplemented, lambda *inputs: None, lambda *inputs: ...])
@pytest.mark.parametrize("name", EXERCISES)
def test_an_untouched_exercise_says_so(name, nothing):
    verdict = check(name, nothing)
    if callable(nothing) and verdict.done is False:  # an answer that is no function
        assert "I expected" in verdict.said
        return
    assert verdict.done is None
    assert verdict.said == f"{name}: not done yet. {EXERCISES[name].goal}\nA hint: rt.exercises.hint('{name}')"
    assert repr(verdict).split() == verdict.said.split()
    assert repr(hint(name)).split() == hint(name).split()


def not_written(*inputs):
    raise NotImplementedError("write me")


def test_code_that_is_not_written_counts_as_untouched():
    assert check("00-top", not_written).done is None


def test_what_goes_wrong_inside_an_answer_is_said_with_its_line():
    def divides(*inputs):
        return 1 / 0

    said = check("00-top", divides).said
    assert said.startswith("00-top: not yet. It stopped with ZeroDivisionError: division by zero\nin divides, line ")
    assert "return 1 / 0" in said
    assert check("00-top", divides).done is False
    assert check("00-top", 7).said == "00-top: not yet. I expected a function and found 7."


def test_an_answer_cannot_change_what_it_is_asked():
    def spoils(scores, seen, k):
        scores[:] = 0
        return np.arange(k)

    double = compared("99-double", "Double.", "Times 2.", lambda x: 2 * x, lambda: {"2": (np.array([2]),)}, {})
    assert double.check(lambda x: x.__imul__(2)).done
    assert check("00-top", spoils).said == check("00-top", lambda scores, seen, k: np.arange(k)).said


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(rt.InputError, match="unknown exercise '01-lifd': did you mean '01-lift'"):
        check("01-lifd", 1)
    with pytest.raises(rt.InputError, match="unknown exercise"):
        hint("nonsense")


def test_a_mistake_is_named_only_where_every_case_agrees():
    def cases():
        return {"1 and 1": (1, 1), "2 and 3": (2, 3)}

    add = compared("99-add", "Add.", "+", lambda a, b: a + b, cases, {"multiplies": lambda a, b: a * b})
    assert add.check(lambda a, b: a * b).said == (
        "99-add: not yet. I asked for 1 and 1: yours gives 1, and 2 is right. "
        "An answer that multiplies looks like this."
    )
    assert add.check(lambda a, b: 1).said == "99-add: not yet. I asked for 1 and 1: yours gives 1, and 2 is right."
    assert add.check(lambda a, b: a + b).said == "99-add: done. I asked for 1 and 1; 2 and 3: all as they should be."


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True), ([1, 2], np.array([1.0, 2.0]), True), (np.nan, np.nan, True), (0.0, np.nan, False),
        ([1, 2], (1, 2), True), ([1], (1, 2), False), ([1, 2, 3], [1, 2], False), ("a", "a", True), ("a", "b", False),
        ("a", 1, False), (["a", "b"], ["a", "b"], True), ([[1], [1, 2]], [1, 2], False), (1.001, 1.0, False),
        (-np.inf, -np.inf, True), (([1], "x"), ([1.0], "x"), True), (([1], "y"), ([1.0], "x"), False),
    ],
)  # fmt: skip
def test_when_two_answers_are_the_same(a, b, equal):
    assert base.same(a, b) is equal


def test_a_long_answer_is_shown_in_few_letters():
    assert len(base.shown(np.zeros((100, 100)))) < 150
    assert base.shown((np.array([0.12345]), "a")) == "([0.1234], a)"


def test_what_is_shown_keeps_to_its_width():
    assert base.shown("a" * 120) == "a" * 120
    assert base.shown("a" * 121) == f"{'a' * 110} ... (shape ())"
    assert base.shown(-0.00001) == "0.0"
    words = base.Words("word " * 19 + "width\n" + "word " * 19 + "widths")
    assert [len(line) for line in repr(words).splitlines()] == [100, 94, 6]
