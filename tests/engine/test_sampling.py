"""The sampled softmax: its sample, that it estimates the full one, and that only touched rows move."""

import pytest
import torch
from torch.nn import functional as F

import recsys_tutorial as rt
from recsys_tutorial.cli import main as program
from recsys_tutorial.data.batches import Batch
from recsys_tutorial.data.synthetic import synthetic
from recsys_tutorial.engine.losses import multinomial_loss
from recsys_tutorial.engine.optimizer import RowAdamW, clip_gradients
from recsys_tutorial.engine.sampling import ItemSampler, sampled_multinomial_loss, take_rows
from recsys_tutorial.engine.settings import Settings
from recsys_tutorial.objectives import build_objective
from recsys_tutorial.objectives.decoder import Decoder
from recsys_tutorial.training import fit

SOFTMAX = ["adversarial", "autoencoder", "denoising", "masked-item", "next-item", "variational"]
MULTINOMIAL = {"denoising": {"loss": "multinomial"}}
TARGET, LEFT_OUT = Batch.from_lists([[1, 30, 30], [2], []]), Batch.from_lists([[0, 5], [], [7]])


def scores(n_items=40, dim=4, seed=0) -> tuple[torch.Tensor, Decoder]:
    torch.manual_seed(seed)
    decoder = Decoder(dim, n_items)
    torch.nn.init.normal_(decoder.bias)
    return torch.randn(3, dim, requires_grad=True), decoder


def test_the_sample_has_its_size_no_repeats_and_the_promised_probabilities():
    counts = torch.arange(200) ** 2
    sampler = ItemSampler(counts, 20)
    torch.manual_seed(1)
    draws = [sampler.draw() for _ in range(4000)]
    assert {len(items) for items in draws} == {20}
    assert all((items.diff() > 0).all() for items in draws)
    share = torch.bincount(torch.cat(draws), minlength=200) / len(draws)
    expected = sampler.log_probability.exp()
    assert expected.sum().item() == pytest.approx(20, rel=1e-5)
    assert (share - expected).abs().max() < 5 * 0.5 / len(draws) ** 0.5
    assert ItemSampler(counts, 500).draw().tolist() == list(range(200))


def test_the_popular_are_always_there():
    sampler = ItemSampler(torch.tensor([10_000, 1, 1, 1, 1, 1]), 2)
    assert sampler.log_probability[0] == 0
    assert sampler.log_probability[1:].exp().sum().item() == pytest.approx(1)
    assert all(0 in sampler.draw() for _ in range(20))


def test_a_sample_of_all_items_is_the_full_softmax_with_the_same_gradients():
    vectors, decoder = scores()
    full = multinomial_loss(decoder(vectors), Batch.from_lists([[1, 30], [2], []]), LEFT_OUT)
    wanted = torch.autograd.grad(full, [vectors, decoder.weight, decoder.bias])
    decoder.sampler = ItemSampler(torch.ones(40), 40)
    sampled = decoder.multinomial_loss(vectors, Batch.from_lists([[1, 30], [2], []]), LEFT_OUT)
    torch.testing.assert_close(sampled, full)
    sampled.backward()
    found = [vectors.grad, decoder.weight.grad.to_dense(), decoder.bias.grad.to_dense()]
    torch.testing.assert_close(found, list(wanted))


def test_an_event_twice_counts_twice_as_target_and_once_in_the_sum():
    vectors, decoder = scores()
    full = multinomial_loss(decoder(vectors), TARGET, LEFT_OUT)
    decoder.sampler = ItemSampler(torch.ones(40), 40)
    torch.testing.assert_close(decoder.multinomial_loss(vectors, TARGET, LEFT_OUT), full)


@pytest.mark.parametrize("drawn", [5, 15])
def test_the_estimate_of_the_sum_is_unbiased(drawn):
    """``exp(loss + z_target)`` is the estimated sum of a user with one target: its mean is the sum of all."""
    vectors, decoder = scores()
    vectors = vectors[:1].detach()
    target = Batch.from_lists([[3]])
    z = decoder(vectors)[0].detach()
    sampler = ItemSampler(torch.arange(40), drawn)
    rows = lambda items: (decoder.weight[items], decoder.bias[items])  # noqa: E731
    with torch.no_grad():
        losses = torch.stack([sampled_multinomial_loss(vectors, rows, target, sampler) for _ in range(4000)])
    estimates = (losses + z[3]).exp()
    error = estimates.std() / len(estimates) ** 0.5
    assert abs(estimates.mean() - z.exp().sum()) < 4 * error
    # The loss is its logarithm: too low by about half the relative variance, and by no more.
    full = F.cross_entropy(z[None], torch.tensor([3]))
    assert -0.8 * (estimates.var() / z.exp().sum() ** 2) < losses.mean() - full < 4 * losses.std() / 4000**0.5


def test_the_mean_gradient_tends_to_the_full_one():
    vectors, decoder = scores()
    full = torch.autograd.grad(multinomial_loss(decoder(vectors), TARGET), decoder.weight)[0]
    distance = []
    for drawn in (4, 12, 30):
        decoder.sampler = ItemSampler(torch.arange(40), drawn)
        decoder.weight.grad = None
        for _ in range(500):
            decoder.multinomial_loss(vectors, TARGET).backward()
        distance.append(((decoder.weight.grad.to_dense() / 500 - full).norm() / full.norm()).item())
    assert distance[0] > distance[1] > distance[2]
    assert distance[2] < 0.05


@pytest.mark.parametrize("name", SOFTMAX)
class TestEveryObjectiveWithASoftmax:
    def test_with_all_items_drawn_its_loss_is_the_full_one(self, name, board):
        objective = build_objective(name, board, 8, **MULTINOMIAL.get(name, {})).eval()
        for parameter in getattr(objective, "discriminator", torch.nn.Identity()).parameters():
            parameter.data.zero_()  # its noise is drawn behind the sample
        losses = []
        for _ in range(2):
            torch.manual_seed(3)
            losses.append(objective.loss(Batch.of(board)))
            objective.sample_softmax(ItemSampler(torch.ones(20), 99))
        torch.testing.assert_close(*losses)

    def test_it_learns_from_a_sample(self, name, board):
        how = dict(epochs=40, dim=16, seed=0, learning_rate=0.02, **MULTINOMIAL.get(name, {}))
        model = rt.pretrain(name, board, sampled_softmax=6, **how)
        scores = model.score(rt.Batch.from_lists([[0, 1, 2], [10, 11, 12]]))
        assert scores[0, 3:10].mean() > scores[0, 10:].mean() + 0.3
        assert scores[1, 13:].mean() > scores[1, :10].mean() + 0.3

    def test_gradients_of_the_tables_hold_only_rows_that_were_read(self, name):
        data = synthetic(20, 5000, 200)
        objective = build_objective(name, data, 8, sampled_softmax=50, **MULTINOMIAL.get(name, {}))
        objective.loss(Batch.of(data)).backward()
        tables = [p for p in objective.parameters() if p.shape[0] == 5000]
        assert tables
        for table in tables:
            assert table.grad.is_sparse
            assert table.grad.coalesce().indices().shape[1] <= 50 + data.n_events

    def test_resumed_it_ends_bit_equal(self, name, board, tmp_path):
        how = dict(epochs=4, dim=8, sampled_softmax=6, **MULTINOMIAL.get(name, {}))
        torch.set_num_threads(1)
        whole = rt.pretrain(name, board, **how)
        states = []
        from recsys_tutorial.learning import pretraining

        built = pretraining._build(name, board, 8, 0, {k: v for k, v in how.items() if k not in ("epochs", "dim")})
        settings = pretraining._settings(built, board, dict.fromkeys(("epochs", "batch_size", "learning_rate", "weight_decay")) | {"epochs": 4}, None)  # noqa: E501
        pretraining._train(built, board, settings, 0.0, seed=0, on_epoch=states.append)
        again = pretraining._build(name, board, 8, 0, {k: v for k, v in how.items() if k not in ("epochs", "dim")})
        pretraining._train(again, board, settings, 0.0, seed=0, resume_from=states[1])
        with torch.no_grad():
            assert torch.equal(again.head().weight, whole.classifier.weight)


@pytest.mark.parametrize("name", ["contrastive", "item2vec", "denoising"])
def test_an_objective_without_a_softmax_says_so(name, board):
    with pytest.raises(rt.InputError, match="has no softmax"):
        build_objective(name, board, 8, sampled_softmax=5)


def test_a_sample_of_none_is_refused(board):
    with pytest.raises(rt.InputError, match="sampled_softmax=0: it needs to be a whole number of at least 1"):
        rt.pretrain("autoencoder", board, sampled_softmax=0)


# ---- the optimiser's rows ------------------------------------------------------------------------------------


def test_rows_that_every_step_touches_move_as_adamw_moves_them():
    torch.manual_seed(0)
    dense, sparse = (torch.nn.Parameter(torch.arange(12.0).view(4, 3)) for _ in range(2))
    how = dict(lr=0.1, weight_decay=0.1)
    adam, rows = torch.optim.AdamW([dense], **how), RowAdamW([sparse], fused=True, **how)
    for _ in range(5):
        gradient = torch.randn(4, 3)
        dense.grad = gradient.clone()
        sparse.grad = torch.sparse_coo_tensor(torch.tensor([[2, 0, 1, 3]]), gradient[[2, 0, 1, 3]], (4, 3))
        adam.step()
        rows.step()
    torch.testing.assert_close(sparse, dense)


def test_a_row_that_is_not_touched_stands_still_and_its_first_step_is_a_first_step():
    table = torch.nn.Parameter(torch.ones(3, 2))
    optimizer = RowAdamW([table], lr=0.1, weight_decay=0.0)
    for row in (0, 0, 0, 2):
        table.grad = torch.sparse_coo_tensor(torch.tensor([[row]]), torch.tensor([[5.0, -7.0]]), (3, 2))
        optimizer.step()
    assert table[1].tolist() == [1, 1]
    torch.testing.assert_close(table[2].detach(), torch.tensor([0.9, 1.1]))


def test_clipping_sparse_and_dense_gradients_together():
    dense, sparse = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(4, 1))

    def give():
        dense.grad = torch.tensor([3.0, 0.0])
        sparse.grad = torch.sparse_coo_tensor(torch.tensor([[1, 1]]), torch.tensor([[2.0], [2.0]]), (4, 1))

    give()
    assert clip_gradients([dense, sparse], 10.0).item() == 5
    assert dense.grad.tolist() == [3, 0]
    give()
    clip_gradients([dense, sparse], 1.0)
    torch.testing.assert_close(dense.grad, torch.tensor([0.6, 0.0]))
    torch.testing.assert_close(sparse.grad.to_dense()[:, 0], torch.tensor([0.0, 0.8, 0.0, 0.0]))


def test_a_step_of_the_loop_leaves_the_other_rows_alone():
    table = torch.nn.Embedding(100, 3)
    before = table.weight.detach().clone()

    class Rows:
        def __len__(self):
            return 8

        def take(self, rows):
            return rows + 10

    fit(table, lambda items: take_rows(table.weight, items).square().sum(), Rows(), Settings(2, 4, 0.1), seed=0)
    moved = (table.weight.detach() != before).any(1).nonzero()[:, 0]
    assert moved.tolist() == list(range(10, 18))


def test_the_command_takes_a_sample_and_its_model_says_so(tmp_path, capsys):
    rows = "\n".join(f"{user},{user % 7 + step}" for user in range(30) for step in range(5))
    (tmp_path / "log.csv").write_text("user,item\n" + rows + "\n")
    how = ["pretrain", str(tmp_path / "log.csv"), "--epochs", "1", "--dim", "4", "--out", str(tmp_path / "out")]
    assert program.main([*how, "--objective", "autoencoder", "--sampled-softmax", "5"]) == 0
    assert rt.load_model(tmp_path / "out").origin["options"] == {"sampled_softmax": 5}
    assert program.main([*how, "--overwrite", "--sampled-softmax", "5"]) == 2
    assert "take loss='multinomial' with sampled_softmax" in capsys.readouterr().err


def test_a_uniform_draw_knows_no_counts():
    sampler = ItemSampler(torch.tensor([10_000, 1, 1, 1]), 2, power=0.0)
    assert sampler.log_probability.exp().tolist() == pytest.approx([0.5] * 4)
