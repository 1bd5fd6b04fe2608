"""Errors a user can act on: each names the thing, the value seen and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral

import numpy as np

MOST_COMPARED = 50  # names that are compared letter by letter


class InputError(ValueError):
    """Something given to the package cannot be used; the message says what, and what to do instead."""

    def __init__(self, message: str) -> None:
        # A damaged file may hold an id of a million letters: what is said about it stays readable.
        super().__init__(message if len(message) <= 1_000 else f"{message[:600]} ... {message[-300:]}")


class MissingFileError(InputError, FileNotFoundError):
    """A path that was given does not exist."""


class TrainingError(RuntimeError):
    """Training cannot go on (a loss or gradient that is not finite, nothing to train)."""


def listed(names: Iterable[object]) -> str:
    """Return names as one line of at most 200 letters, whatever is in them."""
    text = " ".join(", ".join(map(str, names)).split())
    return text if len(text) <= 200 else f"{text[:197]}..."


def nearest(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Return up to ``n`` of ``known`` that are spelt most like ``name``, best first, ignoring case."""
    return Spellings(known).nearest(name, n)


class Spellings:
    """Names to compare others with; kept by who asks often, since a catalogue is long.

    Args:
        known: the names.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.names = list(map(str, known))
        self.folded = list(map(str.casefold, self.names))
        self.text = np.frombuffer("\n".join(["", *self.folded, ""]).encode("utf-8", "replace"), np.uint8)
        self.ends = np.flatnonzero(self.text == ord("\n"))

    def nearest(self, name: str, n: int = 3) -> list[str]:
        """Return up to ``n`` names that are spelt most like ``name``, best first, ignoring case."""
        name = name.casefold()
        by_folded = {self.folded[place]: self.names[place] for place in self._alike(name)}
        return [by_folded[one] for one in difflib.get_close_matches(name, by_folded, n=n, cutoff=0.6)]

    def _alike(self, name: str) -> Iterable[int]:
        """Return which names share most pairs of letters with ``name``: difflib is slow, catalogues are long."""
        text, ends = self.text, self.ends
        if len(self.names) <= MOST_COMPARED or len(ends) != len(self.names) + 1:  # or a line break within a name
            return range(len(self.names))
        asked = np.frombuffer(f"\n{name}\n".encode("utf-8", "replace"), np.uint8)
        wanted = np.zeros(2**16, bool)
        wanted[asked[:-1].astype(np.uint16) << 8 | asked[1:]] = True
        shared = wanted[text[:-1].astype(np.uint16) << 8 | text[1:]]
        counts = np.add.reduceat(shared, ends[:-1], dtype=np.int64)
        likeness = counts / (np.diff(ends) + len(asked) - 1)
        return np.sort(np.argpartition(-likeness, MOST_COMPARED)[:MOST_COMPARED]).tolist()


def unknown(kind: str, name: object, known: Iterable[str], shown: int = 12) -> InputError:
    """Build the error for a name that is not among ``known``: the nearest ones, else the first ``shown`` of them."""
    known = [str(candidate) for candidate in known]
    close = nearest(str(name), known)
    if close:
        hint = "did you mean " + " or ".join(repr(candidate) for candidate in close) + "?"
    else:
        more = f", ... ({len(known)} in all)" if len(known) > shown else ""
        hint = "choose from " + ", ".join(repr(candidate) for candidate in known[:shown]) + more
    return InputError(f"unknown {kind} {name!r}: {hint}")


def check_format(where: object, found: object, known: int) -> None:
    """Raise InputError where what is stored at ``where`` has another format than the one that is ``known`` here."""
    if found != known:
        raise InputError(f"{where} has format {found}, this version reads {known}: update recsys-tutorial")


def whole(name: str, value: object, lowest: int = 1) -> int:
    """Return ``value`` as Python's own whole number, NumPy's too; InputError where it is none, or below ``lowest``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < lowest:
        raise InputError(f"{name}={value!r}: it needs to be a whole number of at least {lowest}")
    return int(value)


def how_many(k: object, there: int, what: str = "items to choose from") -> int:
    """Return ``k`` as a whole number between 1 and ``there``; InputError where it is none, or nothing is there."""
    if there < 1:
        raise InputError(f"k={k!r}: there are no {what} left: all were liked, seen, or left out")
    if not isinstance(k, Integral) or isinstance(k, bool) or not 1 <= int(k) <= there:
        raise InputError(f"k={k!r}: it needs to be a whole number between 1 and {there}, the number of {what}")
    return int(k)


def check_sizes(**sizes: int) -> None:
    """Raise InputError for the first of ``sizes`` that is not a whole number of at least 1."""
    for name, size in sizes.items():
        whole(name, size)


def check_shares(**shares: float) -> None:
    """Raise InputError for the first of ``shares`` that is not at least 0 and below 1."""
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise InputError(f"{name}={share!r}: it needs to be at least 0 and below 1")
