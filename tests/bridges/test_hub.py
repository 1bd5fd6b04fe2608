import importlib.util
import json

import numpy as np
import pytest

import recsys_tutorial as rt

if importlib.util.find_spec("huggingface_hub") is None:
    pytest.skip("needs the extra 'hub'", allow_module_level=True)

from recsys_tutorial.bridges.hub import CONFIG, WEIGHTS, HubModel


@pytest.fixture(scope="module")
def model(club):
    return rt.pretrain("denoising", club, epochs=2, dim=3)


@pytest.fixture
def shared(model, tmp_path):
    HubModel.of(model).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("objective", ["denoising", "next-item"])
def test_what_comes_back_scores_the_same_and_recommends(club, tmp_path, objective):
    model = rt.pretrain(objective, club, epochs=1, dim=4)
    HubModel.of(model).save_pretrained(tmp_path)
    back = HubModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(back.score(club), model.score(club))
    assert back.origin == json.loads(json.dumps(model.origin))
    assert rt.Recommender(back).recommend(["Ada (1990)"], k=2).equals(
        rt.Recommender(model).recommend(["Ada (1990)"], k=2)
    )


def test_the_folder_is_laid_out_as_the_hub_wants_it(shared):
    assert sorted(path.name for path in shared.iterdir()) == ["README.md", CONFIG, WEIGHTS]
    assert CONFIG == "config.json"
    assert WEIGHTS == "model.safetensors"


def test_the_card_says_data_training_quality_and_limits(model, club, tmp_path):
    quality = rt.evaluate({"mine": model}, rt.splits.held_out_users(club, 0.5), "ndcg", 2)
    HubModel.of(model, quality, limits="- Only a club.").save_pretrained(tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: recsys-tutorial")
    assert f"`club` (fingerprint `{club.fingerprint}`)" in card
    assert "objective `denoising`" in card
    assert f"| mine | held-out-users | ndcg@2 | {quality['value'][0]:.4f} |" in card
    assert "- Only a club." in card


def test_a_card_without_measurements_says_so_and_is_not_kept_for_the_next_model(shared, model, club):
    assert "Not measured" in (shared / "README.md").read_text()
    HubModel.of(rt.pretrain("item2vec", club, epochs=1, dim=3)).save_pretrained(shared)
    assert "objective `item2vec`" in (shared / "README.md").read_text()


def test_the_licence_of_a_known_data_set_is_on_the_card(model, tmp_path):
    shared = HubModel.of(model)
    shared.origin = {**model.origin, "data": "movielens-small"}
    shared.save_pretrained(tmp_path)
    assert rt.datasets().set_index("name")["licence"]["movielens-small"] in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / WEIGHTS).write_bytes(b"x"), r"model.safetensors is damaged or truncated \(1 bytes\)"),
        (lambda folder: (folder / CONFIG).write_text("{}"), "config.json is damaged, or another library's"),
        (
            lambda at: (at / CONFIG).write_text((at / CONFIG).read_text().replace('"format": 1', '"format": 2')),
            "config.json has format 2, this version reads 1: update",
        ),
        (lambda folder: (folder / CONFIG).unlink(), "no config.json: give what save_pretrained wrote"),
        (lambda folder: (folder / WEIGHTS).unlink(), "no model.safetensors"),
    ],
)
def test_a_damaged_folder_is_refused(shared, harm, message):
    harm(shared)
    with pytest.raises(rt.InputError, match=message):
        HubModel.from_pretrained(shared)


def test_a_name_that_is_not_to_be_had_is_one_clear_error():
    with pytest.raises(rt.InputError, match=r"no folder 'no/such', and the hub does not give it \("):
        HubModel.from_pretrained("no/such", local_files_only=True)


def test_a_name_is_read_from_the_hubs_cache_and_uploaded_by_the_mixin(shared, model, club, monkeypatch, tmp_path):
    asked = {}
    download = "recsys_tutorial.bridges.hub.snapshot_download"
    monkeypatch.setattr(download, lambda name, **how: asked.update(name=name) or shared)
    np.testing.assert_array_equal(HubModel.from_pretrained("me/films").score(club), model.score(club))
    assert asked == {"name": "me/films"}
    monkeypatch.setattr(HubModel, "push_to_hub", lambda self, **how: how["repo_id"])
    assert HubModel.of(model).save_pretrained(tmp_path, push_to_hub=True, repo_id="me/films") == "me/films"
