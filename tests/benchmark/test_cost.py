"""What the two hottest paths do, counted: no clock, so that a busy machine changes nothing, and bounds that can fail.

A step of training and a batch of ranking are run under :class:`recsys_tutorial.benchmark.counting.Counted`. A change
that makes users × items dense, walks over users one by one, or passes over the scores again, breaks a bound.
"""

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from recsys_tutorial.benchmark.counting import Counted, counted
from recsys_tutorial.benchmark.kernels import LowRank
from recsys_tutorial.data.batches import Batch
from recsys_tutorial.data.splits import random_holdout
from recsys_tutorial.data.synthetic import synthetic
from recsys_tutorial.engine.layers import unit_rows
from recsys_tutorial.engine.losses import linear_cross_entropy
from recsys_tutorial.engine.optimizer import RowAdamW, clip_gradients
from recsys_tutorial.evaluation.evaluation import evaluate
from recsys_tutorial.objectives import build_objective

USERS, ITEMS, DIM = 200, 1000, 32


@pytest.fixture(scope="module")
def data():
    return synthetic(USERS, ITEMS, 6000)


def step(objective, batch: Batch) -> Callable[[], None]:
    """Return one step of the loop, after a first one that made the optimiser's tables."""
    optimizer = RowAdamW(objective.parameters(), fused=True)

    def run() -> None:
        optimizer.zero_grad(set_to_none=True)
        objective(batch).backward()
        clip_gradients(objective.parameters(), 1e9)
        optimizer.step()

    run()
    return run


def calls(run: Callable[[], object]) -> int:
    """Return how many functions of Python ``run()`` enters."""
    entered = 0

    def count(frame: object, event: str, _: object) -> None:
        nonlocal entered
        entered += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return entered


def passes_over_scores(found: Counted, users: int) -> float:
    """Return the traffic in units of one table of scores, ``users × items`` float32."""
    return found.bytes / (4 * users * ITEMS)


# ---- training -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "products"), [("autoencoder", 1), ("denoising", 1), ("variational", 1)])
def test_a_step_of_a_bag_makes_the_decoders_products_and_little_else(data, name, products):
    found = counted(step(build_objective(name, data, DIM), Batch.of(data)))
    assert found.flops <= 1.15 * 6 * USERS * ITEMS * DIM * products


BOUNDS = {"autoencoder": 17, "denoising": 14}  # measured: 16.2 and 13.2; one more that reads and writes is two


@pytest.mark.parametrize("name", BOUNDS)
def test_a_step_of_a_bag_passes_over_the_scores_a_few_times(data, name):
    batch = Batch.of(data)
    objective = build_objective(name, data, DIM)
    found = passes_over_scores(counted(lambda: objective(batch).backward()), USERS)
    assert found <= BOUNDS[name], f"{found:.2f} passes"


def test_a_dense_target_breaks_the_bound(data):
    """What the bound is there for: the same loss with a dense target."""
    batch = Batch.of(data)
    objective = build_objective("autoencoder", data, DIM)
    target = batch.dense(ITEMS)

    def dense(_: Batch) -> torch.Tensor:
        return -(target * objective.decoder(objective.encoder(batch)).log_softmax(1)).sum() / USERS

    objective.loss = dense
    assert passes_over_scores(counted(lambda: objective(batch).backward()), USERS) > BOUNDS["autoencoder"]


@pytest.mark.parametrize("name", ["autoencoder", "denoising", "item2vec", "next-item", "masked-item"])
def test_a_step_enters_as_much_python_for_ten_users_as_for_two_hundred(data, name):
    objective = build_objective(name, data, DIM)
    batch = objective.examples(Batch.of(data))
    few, many = (step(objective, batch.take(torch.arange(n))) for n in (10, len(batch)))
    assert counted(many).ops <= counted(few).ops + 100
    assert calls(many) <= calls(few) + 100


@pytest.mark.parametrize("name", ["autoencoder", "next-item"])
def test_a_step_of_a_sampled_softmax_does_as_much_in_a_catalogue_ten_times_as_large(name):
    made = []
    for items in (ITEMS, 10 * ITEMS):
        data = synthetic(50, items, 500)
        objective = build_objective(name, data, DIM, sampled_softmax=50)
        few = objective.examples(Batch.of(data)).take(torch.arange(20))
        made.append(counted(step(objective, few)).made)
    assert made[1] < 1.3 * made[0]


def passes_over_table(rows: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """Return what making the table's rows equally long reads and writes, forward and backward, in tables."""
    table, gradient = torch.randn(ITEMS, DIM, requires_grad=True), torch.randn(ITEMS, DIM)
    return counted(lambda: rows(table).backward(gradient)).bytes / (4 * table.numel())


def test_a_step_over_histories_passes_over_the_item_table_a_few_times():
    bound = 17  # measured: 15.3
    assert passes_over_table(lambda table: unit_rows(table, 14.0)) <= bound
    assert passes_over_table(lambda table: 14.0 * F.normalize(table, dim=1)) > bound


def test_the_softmax_of_histories_passes_over_its_logits_a_few_times():
    states, table = torch.randn(800, DIM, requires_grad=True), torch.randn(ITEMS, DIM, requires_grad=True)
    targets = torch.randint(ITEMS, (800,))

    def passes(loss: Callable[..., torch.Tensor]) -> Counted:
        return counted(lambda: loss(states, table, targets).backward())

    found = passes(linear_cross_entropy)
    assert found.flops == 6 * 800 * ITEMS * DIM  # each of the three products once
    assert found.bytes <= 12.2 * 4 * 800 * ITEMS  # measured: 11.7
    assert found.made <= 1.25 * 4 * 800 * ITEMS  # measured: 1.15, logits once, the rest in place
    plain = passes(lambda states, table, targets: F.cross_entropy(states @ table.T, targets))
    assert plain.made > 1.25 * 4 * 800 * ITEMS



# ---- ranking --------------------------------------------------------------------------------------------------


def test_ranking_passes_over_the_scores_a_few_times_and_enters_little_python(data):
    split = random_holdout(data)
    model = LowRank(ITEMS, DIM)
    rank = lambda: evaluate(model, split, ["ndcg", "recall"], 10, progress=False)  # noqa: E731
    rank()
    found = passes_over_scores(counted(rank), USERS)
    assert found <= 6, f"{found:.2f} passes"
    assert counted(rank).flops == 2 * USERS * ITEMS * DIM
    assert calls(rank) < 12_000


def test_ranking_by_a_full_sort_breaks_the_bound(data):
    scores = torch.randn(USERS, ITEMS)
    from recsys_tutorial.metrics.ranking import top_k

    def sort() -> np.ndarray:
        return scores.argsort(dim=1, descending=True, stable=True)[:, :10].numpy()

    assert np.array_equal(top_k(scores, 10), sort())
    assert counted(lambda: top_k(scores, 10)).made < 0.2 * counted(sort).made
