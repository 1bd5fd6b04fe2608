import numpy as np
import pandas as pd
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.encoders import FeatureEncoder, text
from recsys_tutorial.encoders.feature import bounded
from recsys_tutorial.objectives.from_features import FromFeatures
from recsys_tutorial.studies.new_items import first_layers, new_items, warm_and_new
from recsys_tutorial.system import extras

needs_text = pytest.mark.skipif(not extras.installed("text"), reason=extras.how_to_install("text"))
T = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])


@pytest.fixture
def objective(board):
    """Every item is known by its group and its place in it."""
    group = torch.tensor([[float(item < 10), float(item >= 10)] for item in board.item_ids])
    torch.manual_seed(0)
    return FromFeatures(FeatureEncoder.of(group, 8))


def test_g_is_the_mean_of_the_vectors_through_one_layer():
    g = FeatureEncoder.of(T, 3)
    vector = g(rt.Batch.from_lists([[0, 2], []]))
    expected = torch.tanh(torch.stack([g.project(torch.tensor([0.8, 0.4])), g.project(torch.zeros(2))]))
    torch.testing.assert_close(vector, expected)
    torch.testing.assert_close(g.item_vectors, T @ g.project.weight.T)


def test_the_vectors_of_items_are_not_learned(objective, board):
    before = objective.encoder.features.clone()
    rt.pretrain(objective, board, epochs=2, progress=False)
    assert torch.equal(objective.encoder.features, before)
    assert [name for name, _ in objective.encoder.named_parameters()] == ["project.weight", "project.bias"]


def test_items_that_nobody_has_had_are_ranked_by_what_is_known_of_them(objective, board):
    rt.pretrain(objective, board, epochs=30, seed=0, progress=False)
    new = rt.Catalogue(np.array([100, 200]))
    f = objective.on(board.catalogue, objective.encoder.features, new, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    blue, red = f.score(board)[::2], f.score(board)[1::2]
    assert (blue[:, 0] > blue[:, 1]).all()
    assert (red[:, 1] > red[:, 0]).all()
    assert f.outputs is new


def test_a_model_over_features_is_saved_and_loaded(objective, board, tmp_path):
    model = rt.pretrain(objective, board, epochs=1, progress=False)
    rt.save_model(tmp_path, model)
    np.testing.assert_array_equal(rt.load_model(tmp_path).score(board), model.score(board))


def test_features_that_do_not_fit_are_refused(objective, board):
    with pytest.raises(rt.InputError, match="items have 3 features, g was built for 2"):
        objective.on(board.catalogue, torch.zeros(20, 3))
    with pytest.raises(rt.InputError, match="give one row of features for each item"):
        objective.on(board.catalogue, torch.zeros(19, 2))
    with pytest.raises(rt.InputError, match="unknown activation 'tan'"):
        FeatureEncoder.of(T, 3, "tan")


def test_a_sentence_says_title_and_genres_with_the_article_in_front(tiny):
    assert text.sentences(tiny.catalogue) == [
        "Heat (1995). Crime, Drama", "The Lion King (1994). Animation", 'Amélie, or "Le Destin" (2001)',
    ]  # fmt: skip


def test_genres_by_hand(tiny):
    half = 0.5**0.5
    expected = [[0, half, half], [1, 0, 0], [0, 0, 0]]  # Animation, Crime, Drama
    np.testing.assert_allclose(text.genre_vectors(tiny.catalogue), expected, rtol=1e-6)


def test_without_text_there_is_one_clear_error(board):
    bare = rt.Catalogue(np.array([1, 2]))
    with pytest.raises(rt.InputError, match="neither titles nor genres"):
        text.sentences(bare)
    with pytest.raises(rt.InputError, match="have no genres"):
        text.genre_vectors(board.catalogue)


@needs_text
def test_sentences_are_encoded_once_and_near_ones_are_near(tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_TUTORIAL_CACHE", str(tmp_path))
    titles = ("Star Wars (1977)", "Return of the Jedi (1983)", "Sleepless in Seattle (1993)")
    items = rt.Catalogue(np.arange(3), titles)
    vectors = text.text_vectors(items)
    assert vectors.shape == (3, 384)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    monkeypatch.setattr(text, "_load", lambda encoder: pytest.fail("encoded again"))
    assert torch.equal(text.text_vectors(items), vectors)


@needs_text
def test_an_unknown_encoder_is_one_clear_error(tmp_path, monkeypatch, tiny):
    monkeypatch.setenv("RECSYS_TUTORIAL_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(rt.InputError, match="no sentence encoder 'nothing': check its name on the hub"):
        text.text_vectors(tiny.catalogue, str(tmp_path / "nothing"))


def test_the_study_of_new_items_knows_what_is_new_and_what_chance_gives():
    """Two groups of people, each with its own genre: whoever reads genres finds the new items of the group."""
    rng = np.random.default_rng(0)
    users, items = map(np.concatenate, zip(*[
        (np.full(20, user), 40 * (user % 2) + rng.permutation(40)[:20]) for user in range(60)
    ], strict=True))  # fmt: skip
    genres = {item: ("Blue" if item < 40 else "Red",) for item in range(80)}
    titles = {item: f"Film {item}" for item in range(80)}
    data = rt.from_events(users, items, genres=genres, titles=titles, name="two groups")
    text_like = text.genre_vectors(data.catalogue)
    found = new_items(data, seed=1, text=text_like, k=4).set_index("model")["value"]
    assert found["genres"] > found["random"] + 0.1
    assert found["text, untrained"] == pytest.approx(found["genres"], abs=0.1)
    assert set(found.index) >= {"content2vec", "text and genres", "popularity (knows the answers)"}
    assert first_layers(data, seed=1, text=text_like, k=4)["model"].tolist() == ["ids", "text, frozen"]


def two_groups(seed: int = 0) -> rt.Interactions:
    """Two groups of people, each with its own genre; half of a group's items are had twice as often."""
    rng = np.random.default_rng(seed)
    often = np.r_[np.ones(20), 3 * np.ones(20)] / 80
    users, items = map(np.concatenate, zip(*[
        (np.full(20, user), 40 * (user % 2) + rng.choice(40, 20, False, often)) for user in range(60)
    ], strict=True))  # fmt: skip
    genres = {item: ("Blue" if item < 40 else "Red",) for item in range(80)}
    return rt.from_events(users, items, genres=genres, name="two groups")


def test_a_bounded_change_is_never_longer_than_its_share():
    said, own = torch.randn(50, 4), 10 * torch.randn(50, 4)
    found = bounded(said, own, 0.5)
    torch.testing.assert_close((found - said).norm(dim=1), 0.5 * said.norm(dim=1))
    assert torch.equal(bounded(said, torch.zeros(50, 4), 0.5), said)
    little = 1e-3 * torch.nn.functional.normalize(own, dim=1) * said.norm(dim=1, keepdim=True)
    torch.testing.assert_close(bounded(said, little, 0.5), said + little)


def test_an_encoder_with_a_delta_begins_at_its_features_and_keeps_what_it_learned_on_other_items():
    batch = rt.Batch.from_lists([[0, 1, 2], [], [3, 3]])
    features = torch.randn(4, 3)
    torch.manual_seed(0)
    plain = FeatureEncoder.of(features, 5)
    torch.manual_seed(0)
    g = FeatureEncoder.of(features, 5, delta=0.3)
    torch.testing.assert_close(g(batch), plain(batch))
    g.own_vectors.data.normal_()
    assert g.cost(3).parameters == plain.cost(3).parameters + 20
    other = g.on(torch.cat([torch.randn(1, 3), features]), torch.arange(1, 5))
    torch.testing.assert_close(other.item_vectors[1:], g.item_vectors)
    torch.testing.assert_close(other.item_vectors[0], other.features[0] @ g.project.weight.T)
    assert FeatureEncoder(**g.config).config == g.config
    with pytest.raises(rt.InputError, match="delta=-1: it needs to be at least 0"):
        FeatureEncoder.of(features, 5, delta=-1)


def test_a_bounded_delta_tells_warm_items_of_a_genre_apart_and_finds_new_ones():
    found = warm_and_new(two_groups(), seed=1, k=4)
    value = found.set_index(["model", "part"])["value"]
    assert value["words, bounded delta", "warm"] > value["words, frozen", "warm"] + 0.02, "genres do not say how often"
    assert value["words, bounded delta", "new"] > value["random", "new"] + 0.1
    assert value["words, bounded delta", "new"] > value["words, frozen", "new"] - 0.05
    assert ("ids", "new") not in value.index
    assert set(found["model"]) == {
        "random", "tf-idf, nearest", "tf-idf, ridge", "ids", "words, frozen", "words, bounded delta"
    }  # fmt: skip
    again = warm_and_new(two_groups(), seed=1, k=4)
    pd.testing.assert_frame_equal(found, again)
