"""Sorts in blocks give what NumPy's and pandas' slower ways give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys_tutorial.data import ordering
from recsys_tutorial.data.ordering import count_repeats, factorize, grouped, order_in_time

TIME = st.integers(0, 5) | st.integers(0, 2**40) | st.integers(0, 2**62)
ROWS = st.lists(st.tuples(st.integers(0, 3), TIME, st.integers(0, 3)), min_size=1, max_size=40)


@given(ROWS, st.integers(1, 10), st.sampled_from([np.int64, np.uint64, np.float64]))
def test_rows_by_group_and_time_are_those_of_lexsort(rows, block, kind):
    groups, times, codes = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    groups, times = groups.astype(np.int32), times.astype(kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "BLOCK", block)
        order, offsets = grouped(groups, 5)
        assert order.tolist() == np.lexsort((groups,)).tolist()
        assert np.diff(offsets).tolist() == np.bincount(groups, minlength=5).tolist()
        assert count_repeats(order, offsets, codes, 4) == pd.Series(groups * 4 + codes).duplicated().sum()
        order_in_time(order, offsets, times)
    assert order.tolist() == np.lexsort((times, groups)).tolist()


def test_as_many_codes_as_need_long_keys():
    order, offsets = grouped(np.array([1, 0, 1, 1], np.int32), 2)
    assert count_repeats(order, offsets, np.array([2**31 - 2, 0, 5, 2**31 - 2]), 2**31 - 1) == 1


@given(st.lists(st.integers(-3, 3) | st.integers(-(2**62), 2**62), min_size=1, max_size=30))
def test_codes_are_those_of_pandas(values):
    values = np.array(values)
    codes, found = factorize(values)
    expected = pd.factorize(values, sort=True)
    assert codes.dtype == np.int32
    assert codes.tolist() == expected[0].tolist()
    assert found.tolist() == expected[1].tolist()
