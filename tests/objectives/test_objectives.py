"""The contract of every objective, and what is particular to each."""

import itertools

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.synthetic import synthetic
from recsys_tutorial.evaluation.geometry import intrinsic_dimension
from recsys_tutorial.learning.checkpoints import load_progress
from recsys_tutorial.objectives import build_objective
from recsys_tutorial.objectives.content2vec import tokens_of
from recsys_tutorial.objectives.item2vec import pairs

# The data is tiny, a couple of steps an epoch: it wants a high rate.
QUICK = {"epochs": 60, "dim": 8, "learning_rate": 0.02, "seed": 0}
# A Transformer would learn these few users by heart.
CAREFUL = {"epochs": 100, "dim": 16, "dropout": 0.3, "learning_rate": 0.01}
SLOWER = {"masked-item": CAREFUL, "next-item": CAREFUL}
ODD = rt.Batch.from_lists([[3], [], [5, 5, 5], list(range(20))])


@pytest.fixture(scope="module")
def trained(board) -> dict[str, rt.PretrainedModel]:
    return {name: rt.pretrain(name, board, **QUICK | SLOWER.get(name, {})) for name in rt.OBJECTIVES}


@pytest.mark.parametrize("name", sorted(rt.OBJECTIVES))
class TestEveryObjective:
    def test_the_loss_is_finite_and_falls(self, name, trained):
        loss = trained[name].history["loss"]
        assert np.isfinite(loss).all()
        assert loss.iloc[-1] < 0.9 * loss.iloc[0]

    def test_gradients_reach_every_parameter_of_g(self, name, board):
        objective = build_objective(name, board, dim=8)
        with torch.no_grad():  # some begin at zero, and a product with zero hides its other factor
            for parameter in objective.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        objective.loss(rt.Batch.of(board)).backward()
        for parameter_name, parameter in objective.encoder.named_parameters():
            if parameter_name == "position_vectors":
                parameter = parameter[:5]  # five places at most are filled here
            assert parameter.grad is not None if parameter.is_leaf else True, parameter_name
            grad = objective.encoder.get_parameter(parameter_name).grad
            assert grad.abs().sum() > 0, parameter_name

    def test_the_seed_decides(self, name, board):
        first, second, other = (rt.pretrain(name, board, epochs=3, dim=8, seed=seed) for seed in (1, 1, 2))
        for key, value in first.state_dict().items():
            assert torch.equal(value, second.state_dict()[key]), key
        same = np.allclose(first.encode(board), other.encode(board), atol=1e-4)
        assert same == rt.OBJECTIVES[name].closed_form  # which has one solution

    def test_one_and_two_threads_agree(self, name, board):
        vectors = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            vectors.append(rt.pretrain(name, board, epochs=10, dim=8, seed=0).encode(board))
        np.testing.assert_allclose(*vectors, atol=1e-4)

    @pytest.mark.parametrize("mode", [True, False])
    def test_odd_users(self, name, board, mode):
        objective = build_objective(name, board, dim=8).train(mode)
        for odd in (ODD, rt.Batch.from_lists([[]]), rt.Batch.from_lists([[4]])):
            loss = objective.loss(odd)
            assert torch.isfinite(loss)
            assert abs(loss) < 1e4
            loss.backward()
        assert torch.isfinite(objective.encoder(ODD)).all()

    def test_two_groups_come_apart(self, name, board, trained):
        vectors = trained[name].encode(board)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        group = np.array([user % 2 for user in board.user_ids])
        same = (vectors @ vectors.T)[group[:, None] == group].mean()
        across = (vectors @ vectors.T)[group[:, None] != group].mean()
        assert same > across + 0.3

    def test_saved_and_loaded_it_scores_the_same(self, name, board, tmp_path):
        model = rt.pretrain(name, board, epochs=2, dim=8)
        rt.save_model(tmp_path, model)
        np.testing.assert_array_equal(rt.load_model(tmp_path).score(board), model.score(board))

    def test_it_ranks_the_rest_of_the_users_own_group_first(self, name, trained, board):
        if build_objective(name, board, dim=8).head() is None:
            pytest.skip("this objective does not learn to score items")
        scores = trained[name].score(rt.Batch.from_lists([[0, 1, 2], [10, 11, 12]]))
        scores[[0, 0, 0, 1, 1, 1], [0, 1, 2, 10, 11, 12]] = -np.inf  # what was shown is not asked for
        assert set(rt.metrics.top_k(scores, 7)[0]) == set(range(3, 10))
        assert set(rt.metrics.top_k(scores, 7)[1]) == set(range(13, 20))

    def test_resumed_it_ends_bit_equal(self, name, board, tmp_path, monkeypatch):
        if rt.OBJECTIVES[name].closed_form:
            pytest.skip("it has no epochs to be stopped after")
        torch.set_num_threads(1)
        whole = rt.pretrain(name, board, epochs=4, dim=8, checkpoint=tmp_path / "whole")
        from recsys_tutorial.learning import checkpoints

        save = checkpoints.save_progress

        def stop_after_two(folder, state, origin):
            save(folder, state, origin)
            if state.epoch == 2:
                raise KeyboardInterrupt

        monkeypatch.setattr(checkpoints, "save_progress", stop_after_two)
        with pytest.raises(KeyboardInterrupt):
            rt.pretrain(name, board, epochs=4, dim=8, checkpoint=tmp_path / "cut")
        monkeypatch.undo()
        resumed = rt.pretrain(name, board, epochs=4, dim=8, checkpoint=tmp_path / "cut", resume=True)
        for key, value in whole.state_dict().items():
            assert torch.equal(value, resumed.state_dict()[key]), key
        assert load_progress(tmp_path / "cut", {}) is None  # the finished model has taken its place

    def test_users_with_too_few_events_to_learn_from_are_refused(self, name, board):
        """Where the objective needs two events of a user, one each is refused; with none at all, everyone is."""
        least = build_objective(name, board, dim=8).least_events
        newest = np.diff(board.events_per_user.cumsum(), prepend=0).cumsum() - 1
        for events in range(3):
            few = board.keep_events(np.isin(np.arange(board.n_events), newest[:, None] - np.arange(events)))
            assert set(few.events_per_user) == {events}
            if events < least:
                told = f"can use 0 of the 40 users of 'board' that are trained on: a user needs at least {least} events"
                with pytest.raises(rt.InputError, match=f"^{name} {told}, and none has more than {events}; "):
                    rt.pretrain(name, few, epochs=1, dim=8)
            else:
                assert rt.pretrain(name, few, epochs=1, dim=8).history["loss"].iloc[-1] > 0

    def test_one_user_with_enough_events_is_enough(self, name, board):
        mostly_one = board.keep_events(np.r_[np.ones(6, bool), np.arange(6, board.n_events) % 6 == 0])
        assert sorted(set(mostly_one.events_per_user)) == [1, 6]
        assert rt.pretrain(name, mostly_one, epochs=1, dim=8).history["loss"].iloc[-1] > 0

    def test_it_has_a_line_that_says_what_it_is_and_a_source(self, name):
        assert rt.OBJECTIVES[name].__doc__.strip()
        assert "Source: " in rt.OBJECTIVES[name].__doc__


# ---- no objective lets g see what it is asked for -----------------------------------------------------------


@pytest.mark.parametrize("name", ["denoising", "variational", "adversarial"])
def test_what_is_hidden_is_not_shown(name, board, monkeypatch):
    objective = build_objective(name, board, dim=8)
    hide, seen = rt.Batch.hide, []

    def spied(batch, rate):
        parts = hide(batch, rate)
        seen.append(parts)
        return parts

    monkeypatch.setattr(rt.Batch, "hide", spied)
    encoded = []
    objective.encoder.register_forward_pre_hook(lambda _, inputs: encoded.append(inputs[0]))
    objective.loss(rt.Batch.of(board))
    ((shown, hidden),) = seen
    assert encoded == [shown]
    events = [{*zip(part.rows.tolist(), part.items.tolist(), strict=True)} for part in (shown, hidden)]
    assert not events[0] & events[1]
    assert len(events[0] | events[1]) == board.n_events


@pytest.mark.parametrize(("name", "place"), [("next-item", 5), ("masked-item", 5)])
def test_the_newest_item_is_asked_for_and_not_seen(name, place, board):
    """Changing a user's newest item changes what is asked for, and none of the states that have to say it."""
    torch.manual_seed(0)
    objective = build_objective(name, board, dim=8, **({"cut": 0.0} if name == "masked-item" else {})).eval()
    asked = []
    objective.says = lambda states, items: asked.append((states, items)) or states.sum()
    for newest in (6, 17):
        torch.manual_seed(1)
        objective.loss(rt.Batch.from_lists([[1, 2, 3, 4, 5, newest]]))
    (states, items), (others, other_items) = asked
    assert items[-1] == 6
    assert other_items[-1] == 17
    torch.testing.assert_close(states, others)


@pytest.mark.parametrize("seed", range(5))
def test_a_history_that_is_cut_hides_its_end_and_no_other(seed, board):
    """Whole histories hide their newest event at least, cut ones are a beginning of what was there."""
    torch.manual_seed(seed)
    whole = rt.Batch.from_lists([list(range(n)) for n in (0, 1, 2, 9, 9, 9, 9)])
    objective = build_objective("masked-item", board, dim=8, cut=0.999)
    batch, masked = objective.mask(whole)
    assert batch.items.tolist() == [item for n in batch.lengths.tolist() for item in range(n)]
    assert batch.lengths[:3].tolist() == [0, 1, 2]
    assert all(2 <= n <= 9 for n in batch.lengths[3:].tolist())
    assert masked.tolist() == batch.ends()[1].tolist()
    batch, masked = build_objective("masked-item", board, dim=8, cut=0.0, share=0.6).mask(whole)
    assert batch.items.tolist() == whole.items.tolist()
    assert masked[batch.ends()[1]].all()
    assert 0 < masked[~batch.ends()[1]].float().mean() < 1


def test_an_item_is_never_its_own_context():
    torch.manual_seed(0)
    centre, context = pairs(rt.Batch.from_lists([[0, 1, 2], [5], [], [8, 9]]), 50)
    assert (centre != context).all()
    assert set(zip(centre.tolist(), context.tolist(), strict=True)) == {
        (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (8, 9), (9, 8)
    }  # fmt: skip


# ---- each by itself ---------------------------------------------------------------------------------------


def test_beta_rises_with_the_users_seen_and_only_in_training(board):
    objective = build_objective("variational", board, dim=8, beta=0.4, anneal=100)
    assert objective.train()._beta(25) == pytest.approx(0.1)
    assert objective._beta(25) == pytest.approx(0.2)
    assert objective.eval()._beta(1000) == pytest.approx(0.2)
    assert objective.train()._beta(1000) == pytest.approx(0.4)


def test_the_head_of_the_variational_is_the_decoder_after_the_mean(board):
    objective = build_objective("variational", board, dim=8)
    z = torch.randn(3, 8)
    with torch.no_grad():
        torch.testing.assert_close(objective.head()(z), objective.decoder(objective.mean(z)))


def test_the_gradient_is_reversed_for_g_and_not_for_the_discriminator(board):
    """D steps towards telling g's vectors from noise; g's share of the gradient has the other sign."""
    gradients = []
    for strength in (0.0, 1.0, 2.0):
        torch.manual_seed(0)
        objective = build_objective("adversarial", board, dim=8, strength=strength)
        torch.manual_seed(1)
        objective.loss(rt.Batch.of(board)).backward()
        first = objective.discriminator[0].weight.grad
        gradients.append((objective.encoder.item_vectors.grad.clone(), first.clone()))
    (g0, d0), (g1, d1), (g2, d2) = gradients
    torch.testing.assert_close(g2 - g0, 2 * (g1 - g0))
    assert (g1 - g0).abs().max() > 0
    torch.testing.assert_close(d0, d1)
    torch.testing.assert_close(d1, d2)


def test_the_adversarial_is_stable_over_seeds_and_does_not_collapse():
    data = synthetic(200, 60, 4000)
    for seed in range(5):
        model = rt.pretrain("adversarial", data, epochs=20, dim=16, seed=seed)
        assert np.isfinite(model.history["loss"]).all()
        assert intrinsic_dimension(model.encode(data)) > 4  # of 16; the data have eight tastes


def test_contrastive_by_hand():
    """Two users with orthogonal views: InfoNCE is known."""
    objective = rt.OBJECTIVES["contrastive"](rt.BagEncoder(4, 4, activation="identity"), dropout=0.0, temperature=0.5)
    objective.projection = torch.nn.Identity()
    with torch.no_grad():
        objective.encoder.item_vectors.copy_(torch.eye(4))
    loss = objective.loss(rt.Batch.from_lists([[0], [1]]))
    assert loss.item() == pytest.approx(-np.log(np.exp(2) / (np.exp(2) + 1)))


def test_an_objective_without_a_head_gets_one_in_closed_form(board):
    model = rt.pretrain("contrastive", board, **QUICK)
    assert model.classifier.out_features == board.n_items


def test_item2vec_scores_by_the_contexts_and_the_counts(board):
    objective = build_objective("item2vec", board, dim=8)
    with torch.no_grad():
        head = objective.head()
    torch.testing.assert_close(head.weight, objective.context_vectors)
    share = np.asarray(board.events_per_item, float) ** 0.75
    np.testing.assert_allclose(head.bias.detach().numpy(), np.log(share / share.sum()), rtol=1e-5)


def test_item2vec_needs_a_linear_g(board):
    with pytest.raises(rt.InputError, match="item2vec needs a BagEncoder without hidden layers"):
        rt.OBJECTIVES["item2vec"](rt.BagEncoder(20, 8, (4,)), torch.ones(20))


def test_the_tokens_of_a_catalogue(club):
    numbers, offsets = tokens_of(club.catalogue, at_least=2)  # two films are of Drama, two of Action; "the" is in one
    assert [numbers[a:b].tolist() for a, b in itertools.pairwise(offsets)] == [[1], [1], [0], [0], []]
    with pytest.raises(rt.InputError, match="content2vec needs titles or genres"):
        tokens_of(rt.from_events(["a"], ["b"]).catalogue)


def test_content2vec_places_an_item_that_nobody_has(board):
    """Item 0 is taken out of all behaviour; its title says blue, and there its vector has to lie."""
    known = board.keep_events(board.items != 0)
    model = rt.pretrain("content2vec", known, **QUICK)
    found = rt.Recommender(model).similar(0, k=9)
    assert (found["item"] < 10).sum() >= 8


def test_the_outside_weights_do_not_change_the_loss(board):
    """Ratings and play counts are not times that an item has to be found."""
    torch.manual_seed(0)
    objective = build_objective("denoising", board, dim=8)
    batch = rt.Batch.of(board)
    losses = []
    for weights in (batch.weights, 5000 * batch.weights):
        torch.manual_seed(1)
        losses.append(objective.loss(rt.Batch(batch.items, batch.offsets, weights)).item())
    assert losses[0] == losses[1]


def test_the_recipe_follows_the_size_of_the_data(board):
    assert build_objective("denoising", board).encoder.dim == 64
    assert build_objective("denoising", synthetic(50, 2078, 200)).encoder.dim == 512  # a quarter, in sixteens
    assert build_objective("denoising", synthetic(50, 9000, 200)).encoder.dim == 1024
    few = rt.pretrain("next-item", board, dim=4)
    assert (few.origin["batch_size"], few.origin["epochs"]) == (32, 75)  # 40 users are 2 steps: 150 are wanted
    assert rt.pretrain("next-item", board, dim=4, epochs=3).origin["epochs"] == 3


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("variational", {"beta": -1}, "beta=-1: it needs to be at least 0"),
        ("contrastive", {"temperature": 0}, "temperature=0: it needs to be above 0"),
        ("adversarial", {"strength": -1}, "strength=-1: it needs to be at least 0"),
        ("masked-item", {"share": 1.0}, "share=1.0: it needs to be at least 0 and below 1"),
        ("item2vec", {"negatives": 0}, "negatives=0"),
    ],
)
def test_bad_options(name, options, message, board):
    with pytest.raises(rt.InputError, match=message):
        build_objective(name, board, dim=8, **options)


def test_a_sequence_objective_refuses_an_encoder_that_looks_the_wrong_way():
    with pytest.raises(rt.InputError, match="next-item needs a SequenceEncoder with causal=True"):
        rt.OBJECTIVES["next-item"](rt.SequenceEncoder(5, 4, causal=False))
    with pytest.raises(rt.InputError, match="masked-item needs a SequenceEncoder with causal=False"):
        rt.OBJECTIVES["masked-item"](rt.BagEncoder(5, 4))


OUTSIDE = '''
"""An objective of one's own: the plain autoencoder."""
from torch import nn
import recsys_tutorial as rt
from recsys_tutorial.engine.losses import multinomial_loss


class Plain(rt.Objective):
    name = "plain-test"

    def __init__(self, encoder):
        super().__init__(encoder)
        self.decoder = nn.Linear(encoder.dim, encoder.n_items)

    def loss(self, batch):
        return multinomial_loss(self.decoder(self.encoder(batch)), batch)

    def head(self):
        return self.decoder
'''


def test_an_objective_in_an_outside_file_is_known_by_its_name(board, tmp_path, monkeypatch):
    (tmp_path / "outside_objective.py").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(rt.OBJECTIVES)
    try:
        import outside_objective  # noqa: F401

        model = rt.pretrain("plain-test", board, epochs=10, dim=8)
        assert model.history["loss"].iloc[-1] < model.history["loss"].iloc[0]
    finally:
        rt.OBJECTIVES.clear()
        rt.OBJECTIVES.update(before)
