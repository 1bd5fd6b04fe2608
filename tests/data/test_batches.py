"""The jagged batch against plain Python lists."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROWS, columns, lists, numbered

from recsys_tutorial.data.batches import Batch, as_batch, by_length, in_order, shuffled
from recsys_tutorial.data.events import from_events


def test_from_lists_by_hand():
    batch = Batch.from_lists([[4, 2], [], [7]])
    assert len(batch) == 3
    assert batch.items.tolist() == [4, 2, 7]
    assert batch.offsets.tolist() == [0, 2, 2, 3]
    assert batch.weights.tolist() == [1, 1, 1]
    assert batch.lengths.tolist() == [2, 0, 1]
    assert batch.rows.tolist() == [0, 0, 2]
    assert (batch.items.dtype, batch.offsets.dtype, batch.weights.dtype) == (torch.int64, torch.int64, torch.float32)
    assert len(Batch.from_lists([])) == 0


@given(columns())
def test_a_batch_of_interactions_holds_their_events(table):
    built = from_events(**table)
    batch = Batch.of(built)
    assert batch.items.tolist() == built.items.tolist()
    assert batch.offsets.tolist() == built.offsets.tolist()
    assert batch.weights.tolist() == built.weights.tolist()
    assert (batch.dense(built.n_items).numpy() == built.matrix.toarray()).all()


def test_a_batch_shares_no_memory_with_interactions(tiny):
    batch = Batch.of(tiny)
    for tensor in (batch.items, batch.offsets, batch.weights):
        tensor.add_(1)
    assert tiny.items.tolist() == [1, 0, 2, 2, 0, 1]
    assert tiny.offsets.tolist() == [0, 2, 3, 6]
    assert tiny.weights.tolist() == [1, 2, 5, 3, 5, 4]


@given(ROWS, st.data())
def test_take_equals_indexing_a_list(rows, data):
    pick = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1), max_size=8))
    batch = numbered(rows)
    whole = lists(batch)
    assert lists(batch.take(torch.tensor(pick, dtype=torch.int64))) == [whole[row] for row in pick]


@given(ROWS, st.data())
def test_stretches_are_slices_of_all_events(rows, data):
    batch = numbered(rows)
    places = st.integers(0, len(batch.items))
    ends = data.draw(st.lists(st.tuples(places, places).map(sorted), min_size=1, max_size=5))
    begins, stops = torch.tensor(ends).T
    expected = [[batch.items[begin:end].tolist(), batch.weights[begin:end].tolist()] for begin, end in ends]
    got = batch.stretches(begins, stops)
    cuts = list(zip(got.offsets[:-1], got.offsets[1:], strict=True))
    assert [[got.items[a:b].tolist(), got.weights[a:b].tolist()] for a, b in cuts] == expected


@given(ROWS, st.randoms(use_true_random=False))
def test_taking_there_and_back_changes_nothing(rows, random):
    batch = numbered(rows)
    order = torch.tensor(random.sample(range(len(rows)), len(rows)))
    assert lists(batch.take(order).take(order.argsort())) == lists(batch)


@given(ROWS, st.data())
def test_keep_equals_filtering_lists(rows, data):
    batch = numbered(rows)
    n = len(batch.items)
    mask = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    wanted = [[(item, weight) for item, weight in row if mask[int(weight)]] for row in lists(batch)]
    assert lists(batch.keep(torch.tensor(mask, dtype=torch.bool))) == wanted


@given(ROWS, st.floats(0, 1), st.integers(0, 100))
def test_hide_keeps_what_the_seeded_draw_says_and_returns_the_rest(rows, rate, seed):
    batch = numbered(rows)
    torch.manual_seed(seed)
    shown, hidden = batch.hide(rate)
    torch.manual_seed(seed)
    draw = torch.rand(len(batch.items)).tolist()
    assert lists(shown) == [[(i, w) for i, w in row if draw[int(w)] >= rate] for row in lists(batch)]
    assert lists(hidden) == [[(i, w) for i, w in row if draw[int(w)] < rate] for row in lists(batch)]


def test_a_batch_that_was_scored_can_be_trained_on():
    batch, table = Batch.from_lists([[0, 1], [2]]), torch.ones(2, 3, requires_grad=True)
    with torch.inference_mode():
        assert batch.rows.tolist() == [0, 0, 1]
    table[batch.rows, batch.items].sum().backward()  # nothing of the scoring is kept, which autograd would refuse
    assert table.grad.tolist() == [[1, 1, 0], [0, 0, 1]]


def test_hide_nothing_and_everything():
    batch = numbered([[1, 2], [3]])
    assert list(map(lists, batch.hide(0.0))) == [lists(batch), [[], []]]
    assert list(map(lists, batch.hide(1.0))) == [[[], []], lists(batch)]


def test_hide_takes_the_share_asked_for():
    torch.manual_seed(0)
    shown, _ = Batch.from_lists([[0] * 10_000] * 10).hide(0.3)
    assert len(shown.items) == pytest.approx(70_000, abs=4 * (100_000 * 0.3 * 0.7) ** 0.5)


def test_binary_sets_every_weight_to_one():
    batch = numbered([[1, 2], [], [3]])
    assert lists(batch.binary()) == [[(1, 1.0), (2, 1.0)], [], [(3, 1.0)]]


@given(ROWS, st.integers(1, 5))
def test_newest_and_windows_equal_slices_of_lists(rows, n):
    batch = numbered(rows)
    whole = lists(batch)
    assert lists(batch.newest(n)) == [row[-n:] for row in whole]
    ends = [(n + place) % 7 for place in range(len(rows))]
    assert lists(batch.oldest(torch.tensor(ends, dtype=torch.int64))) == [
        row[:end] for row, end in zip(whole, ends, strict=True)
    ]
    pieces = [row[max(0, end - n) : end] for row in whole for end in reversed(range(len(row), 0, -n))]
    assert lists(batch.windows(n)) == pieces
    assert [event for piece in pieces for event in piece] == [event for row in whole for event in row]  # none is lost


@given(ROWS)
def test_append_lays_an_item_behind_the_newest(rows):
    batch = numbered(rows)
    assert lists(batch.append(9)) == [[*row, (9, 1.0)] for row in lists(batch)]


@given(ROWS)
def test_ends_and_present(rows):
    batch = numbered(rows)
    oldest, newest = batch.ends()
    assert oldest.tolist() == [place == 0 for row in rows for place in range(len(row))]
    assert newest.tolist() == [place == len(row) - 1 for row in rows for place in range(len(row))]
    longest = max(map(len, rows), default=0)
    assert batch.present().tolist() == [[place < len(row) for place in range(longest)] for row in rows]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(1, 9), st.integers(1, 90))
def test_by_length_gives_every_row_once_and_pads_little(lengths, size, events):
    pieces = [rows.tolist() for rows in by_length(torch.tensor(lengths), size, events)]
    assert sorted(row for piece in pieces for row in piece) == list(range(len(lengths)))
    for piece in pieces:
        assert 1 <= len(piece) <= size
        assert len(piece) == 1 or len(piece) * max(lengths[row] for row in piece) <= events
    spans = sorted((min(lengths[row] for row in piece), max(lengths[row] for row in piece)) for piece in pieces)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(ROWS)
def test_dense_equals_a_table_filled_by_hand(rows):
    batch = numbered(rows)
    table = [[0.0] * 10 for _ in rows]
    for user, row in enumerate(lists(batch)):
        for item, weight in row:
            table[user][item] += weight
    assert batch.dense(10).tolist() == table


def test_a_batch_is_frozen_and_moves_between_devices(tiny):
    batch = Batch.of(tiny)
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.items = batch.items
    assert lists(batch.to("cpu")) == lists(batch)
    meta = batch.to("meta")
    assert {tensor.device.type for tensor in (meta.items, meta.offsets, meta.weights)} == {"meta"}


def test_as_batch(tiny):
    batch = Batch.of(tiny)
    assert as_batch(batch) is batch
    assert lists(as_batch(tiny)) == lists(batch)


@given(st.integers(0, 40), st.integers(1, 12))
def test_in_order_gives_every_row_once(n, size):
    pieces = [rows.tolist() for rows in in_order(n, size)]
    assert [row for piece in pieces for row in piece] == list(range(n))
    assert all(len(piece) == size for piece in pieces[:-1])


@given(st.integers(1, 200), st.integers(1, 50))
def test_shuffled_gives_every_row_once_in_even_pieces(n, size):
    pieces = [rows.tolist() for rows in shuffled(n, size)]
    assert sorted(row for piece in pieces for row in piece) == list(range(n))
    lengths = [len(piece) for piece in pieces]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1
    assert len(pieces) == int(np.ceil(n / size))  # no more steps than needed


def test_shuffled_follows_the_seed():
    def order(seed: int) -> list[int]:
        torch.manual_seed(seed)
        return torch.cat(list(shuffled(50, 8))).tolist()

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert order(1) != list(range(50))
