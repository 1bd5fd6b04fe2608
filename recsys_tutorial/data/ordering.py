"""Group and sort the rows of large logs by user and time, block by block and on all cores.

A block is a run of whole groups, small enough to stay in the processor's cache: its keys and places fit one integer,
which NumPy sorts with vector instructions. 20 million rows in random order: ``tools/large_log.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import csr_array

BLOCK = 2**18  # rows


def grouped(groups: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(n,)`` rows by group, ties by row, and ``(n_groups + 1,)`` int64 offsets where each group begins.

    It is the counting sort by which SciPy turns rows into columns.

    Args:
        groups: ``(n,)`` int32, from 0 to ``n_groups - 1``.
        n_groups: how many there are.
    """
    n = len(groups)
    place = np.arange(n, dtype=np.int32 if n < 2**31 else np.int64)
    columns = csr_array((place, groups, np.array([0, n], place.dtype)), shape=(1, n_groups)).tocsc()
    return columns.data, columns.indptr.astype(np.int64)


def order_in_time(rows: np.ndarray, offsets: np.ndarray, times: np.ndarray) -> None:
    """Sort the rows of each group by ``times[row]`` in place, ties stay as they are.

    Args:
        rows: ``(n,)`` rows by group, as :func:`grouped` gives them.
        offsets: ``(n_groups + 1,)`` where each group begins.
        times: ``(n,)`` numbers.
    """
    if len(times) < 2 or (times[1:] >= times[:-1]).all():
        return  # the file is oldest first
    whole = times.dtype.kind in "iu"
    lowest = int(times.min()) if whole else 0
    time_bits = (int(times.max()) - lowest).bit_length() if whole else 64

    def sort(first: int, last: int) -> None:
        block = rows[offsets[first] : offsets[last]]
        group = np.repeat(np.arange(last - first), np.diff(offsets[first : last + 1]))
        place_bits = len(block).bit_length()
        if time_bits + place_bits + (last - first).bit_length() > 63:
            block[:] = block[np.lexsort((times[block], group))]
            return
        key = ((group << time_bits) | (times[block] - lowest).astype(np.int64)) << place_bits
        key |= np.arange(len(block))
        key.sort()
        key &= 2**place_bits - 1
        block[:] = block[key]

    over_blocks(sort, offsets)


def shuffle_ties(
    rows: np.ndarray, offsets: np.ndarray, times: np.ndarray, users: np.ndarray, items: np.ndarray, item_ids: np.ndarray
) -> int:
    """Order events of one user at one time at random, in place, and return how many share the time of the one before.

    The draw depends on the ids of user and item alone, so that it is the same whatever the order of the file: a file
    sorted by item would else tell an order that nobody lived. Rows of one item keep theirs.

    Args:
        rows: ``(n,)`` rows by group and in time, as :func:`order_in_time` leaves them.
        offsets: ``(n_users + 1,)`` where each user's rows begin.
        times: ``(n,)`` numbers.
        users: ``(n_users,)`` raw ids.
        items: ``(n,)`` codes.
        item_ids: ``(n_items,)`` raw ids.
    """
    user_keys, item_keys = random_keys(users), random_keys(item_ids)

    def shuffle(first: int, last: int) -> int:
        block = rows[offsets[first] : offsets[last]]
        begins = np.ones(len(block) + 1, bool)  # of a run of events at one time; one more ends the last
        begins[1:-1] = np.diff(times[block]) != 0
        begins[offsets[first:last] - offsets[first]] = True
        tied = np.flatnonzero(~(begins[:-1] & begins[1:]))
        user = user_keys[np.searchsorted(offsets[first + 1 : last + 1] - offsets[first], tied, side="right") + first]
        key = random_keys(user + item_keys[items[block[tied]]])
        block[tied] = block[tied[np.lexsort((key, np.cumsum(begins[:-1])[tied]))]]
        return len(block) - int(begins[:-1].sum())

    return sum(over_blocks(shuffle, offsets))


def random_keys(ids: np.ndarray) -> np.ndarray:
    """Return ``(n,)`` uint64 that look drawn at random, the same for the same ``ids`` (numbers or texts) everywhere."""
    return pd.util.hash_array(ids, categorize=False)


def count_repeats(rows: np.ndarray | None, offsets: np.ndarray, codes: np.ndarray, n_codes: int) -> int:
    """Return how many rows have a code, ``(n,)`` from 0 to ``n_codes - 1``, that an earlier row of their group has too.

    Group ``g`` are the rows ``rows[offsets[g]:offsets[g + 1]]``; where ``rows`` is None they lie in that order already.
    """

    def count(first: int, last: int) -> int:
        pairs = (last - first) * n_codes
        group = np.arange(last - first, dtype=np.int32 if pairs < 2**31 else np.int64) * n_codes
        key: np.ndarray = np.repeat(group, np.diff(offsets[first : last + 1]))
        block = slice(offsets[first], offsets[last])
        key += codes[block if rows is None else rows[block]]
        key.sort()
        return int((key[1:] == key[:-1]).sum())

    return sum(over_blocks(count, offsets))


def over_blocks(work: Callable[[int, int], object], offsets: np.ndarray) -> list:
    """Return ``work(first, last)`` of each block of groups ``first`` to ``last - 1``, several at once."""
    cuts = np.searchsorted(offsets, np.arange(0, offsets[-1], BLOCK), side="left")
    cuts = np.unique(np.append(cuts, len(offsets) - 1))
    return together(work, cuts[:-1].tolist(), cuts[1:].tolist())


def together(work: Callable, *arguments: list) -> list:
    """Return ``list(map(work, *arguments))``, on as many threads as there are cores."""
    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        return list(pool.map(work, *arguments))


def factorize(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(n,)`` int32 places in the sorted different values, and these values, of ``(n,)`` whole numbers."""
    lowest, highest = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if highest - lowest > 4 * len(values) + 1000:
        places, found = pd.factorize(values, sort=True)
        return places.astype(np.int32), found
    from_lowest = values - lowest if lowest else values
    here = np.zeros(highest - lowest + 1, bool)
    here[from_lowest] = True
    place = np.cumsum(here, dtype=np.int32) - np.int32(1)
    return place[from_lowest], (np.flatnonzero(here) + lowest).astype(values.dtype)
