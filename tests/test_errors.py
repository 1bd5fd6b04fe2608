"""Messages that name the nearest thing."""

from __future__ import annotations

import pytest

from recsys_tutorial.errors import InputError, MissingFileError, nearest, unknown


def test_nearest_ignores_case_and_puts_the_best_first():
    assert nearest("HEATT", ["Beat", "heat", "Casino"]) == ["heat", "Beat"]
    assert nearest("heat", ["Heats", "Heat", "Heaths"], n=2) == ["Heat", "Heats"]
    assert len(nearest("heat", ["Heat", "Heats", "Heath", "Wheat", "Beat"])) == 3
    assert nearest("xyz", ["Heat"]) == []


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
