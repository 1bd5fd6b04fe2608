"""Probabilities from scores: right where the scores say so, in order, and the same once they were stored."""

import json

import numpy as np
import pytest

from recsys_tutorial.learning.calibration import Calibration, cross_fitted
from recsys_tutorial.metrics.labels import brier, calibration_error


def drawn(classes: int, n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Scores of any unit, and labels that hang on them by a softmax."""
    rng = np.random.default_rng(classes)
    scores = rng.normal(size=(n, classes))
    p = np.exp(2 * scores) / np.exp(2 * scores).sum(1, keepdims=True)
    return 0.01 * scores + 5, np.array([rng.choice(classes, p=row) for row in p])


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_are_right_and_add_up(classes):
    scores, labels = drawn(classes)
    p = cross_fitted(scores, labels, np.arange(len(labels)) % 5)
    assert np.allclose(p.sum(1), 1)
    assert p.min() > 0
    assert calibration_error(p, labels) < 0.05
    shares = np.tile(np.bincount(labels) / len(labels), (len(labels), 1))
    assert brier(p, labels) < 0.8 * brier(shares, labels)
    whole = Calibration.fit(scores, labels)
    assert (whole.probabilities(scores).argmax(1) == scores.argmax(1)).mean() > 0.95
    again = Calibration.from_json(json.loads(json.dumps(whole.to_json())))
    assert np.array_equal(again.probabilities(scores), whole.probabilities(scores))


def test_order_of_two_classes_stays_and_scores_that_say_nothing_give_the_shares():
    scores, labels = drawn(2)
    found = Calibration.fit(scores, labels).probabilities(scores)[:, 1]
    flat = Calibration.fit(np.ones((100, 2)), np.arange(100) % 4 == 0).probabilities(np.ones((3, 2)))
    assert np.allclose(flat, [0.75, 0.25], atol=0.02)
    assert found[scores[:, 1] - scores[:, 0] > 0.03].min() > found[scores[:, 1] - scores[:, 0] < -0.03].max()
    backwards = Calibration.fit(-scores, labels)  # worse than chance is not turned round
    assert backwards.slope == 0
