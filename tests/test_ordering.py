"""Packed sorts give what NumPy's and pandas' slower ways give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys_tutorial.ordering import count_repeats, factorize, stable_order

KEY = st.integers(0, 5) | st.integers(0, 2**40)
ROWS = st.lists(st.tuples(KEY, st.integers(0, 3)), min_size=1, max_size=40)


@given(ROWS)
def test_the_order_is_that_of_lexsort(rows):
    times, users = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    for keys in ((users,), (times, users), (times, users.astype(np.int32))):
        assert stable_order(keys).tolist() == np.lexsort(keys).tolist()


@pytest.mark.parametrize("last", [2**62, -1, 0.5])
def test_keys_that_do_not_fit_are_sorted_too(last):
    key = np.array([3, 1, 1, last])
    assert stable_order((key,)).tolist() == np.lexsort((key,)).tolist()


@given(st.lists(st.integers(-3, 3) | st.integers(-(2**62), 2**62), min_size=1, max_size=30))
def test_codes_are_those_of_pandas(values):
    values = np.array(values)
    codes, found = factorize(values)
    expected = pd.factorize(values, sort=True)
    assert codes.dtype == np.int32
    assert codes.tolist() == expected[0].tolist()
    assert found.tolist() == expected[1].tolist()
    assert count_repeats(values) == pd.Series(values).duplicated().sum()
