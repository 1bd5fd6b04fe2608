"""Which items the words of an item bring to mind."""

import numpy as np

import recsys_tutorial as rt
from recsys_tutorial.encoders import words
from recsys_tutorial.encoders.words import alike, tfidf


def test_alike_by_hand(board, monkeypatch):
    """Item 0 is blue, item 15 red, and nothing else is said of them; of equals the first are kept."""
    near = alike(board, np.array([0, 15]), np.arange(5, 20), k=3).toarray()
    assert near.shape == (2, 20)
    assert np.flatnonzero(near[0]).tolist() == [5, 6, 7]
    assert np.flatnonzero(near[1]).tolist() == [10, 11, 12]
    np.testing.assert_allclose(near[near > 0], 1)
    whole = alike(board, np.arange(20), np.arange(20), k=20).toarray()
    np.testing.assert_allclose(whole, (tfidf(board) @ tfidf(board).T).toarray(), atol=1e-12)
    monkeypatch.setattr(words, "_CELLS", 60)
    np.testing.assert_array_equal(alike(board, np.arange(20), np.arange(20), k=20).toarray(), whole)
    assert alike(board, np.array([], int), np.arange(20)).shape == (0, 20)


def test_an_item_of_no_shared_word_is_near_to_none(board):
    titles = {item: "Alone" if item == 3 else f"{'Blue' if item < 10 else 'Red'}" for item in range(20)}
    other = rt.from_events(np.repeat(np.arange(2), 20), np.tile(np.arange(20), 2), titles=titles)
    assert not alike(other, np.array([3]), np.arange(20)).toarray().any()
