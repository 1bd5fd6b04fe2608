import json
import os

import numpy as np
import pytest
import torch
from torch import nn

import recsys_tutorial as rt
from recsys_tutorial.learning import checkpoints


@pytest.fixture
def model(club) -> rt.PretrainedModel:
    return rt.pretrain("denoising", club, epochs=2, dim=3)


@pytest.fixture
def saved(model, tmp_path):
    rt.save_model(tmp_path / "model", model)
    return tmp_path / "model"


def tensors_of(folder):
    return next(folder.glob("*.safetensors"))


def test_round_trip(saved, model, club):
    loaded = rt.load_model(saved)
    np.testing.assert_array_equal(loaded.score(club), model.score(club))
    assert loaded.catalogue.ids.tolist() == club.item_ids.tolist()
    assert loaded.catalogue.titles == club.titles
    assert loaded.catalogue.genres == club.genres
    assert loaded.origin["objective"] == "denoising"
    assert loaded.history["loss"].tolist() == model.history["loss"].tolist()
    assert not loaded.training


def test_a_fine_tuned_model_ranks_its_own_shelf_after_loading(club, model, tmp_path):
    wanted = rt.from_events(club.user_ids, ["new"] * club.n_users)
    f = rt.finetune(model, rt.RankingTask(club, wanted, k=1), "probe")
    rt.save_model(tmp_path / "f", f)
    assert rt.load_model(tmp_path / "f").outputs.ids.tolist() == ["new"]


def test_there_is_no_pickle_and_the_json_says_where_it_came_from(saved):
    assert sorted(path.suffix for path in saved.iterdir()) == [".json", ".safetensors"]
    described = json.loads((saved / "model.json").read_text())
    assert described["version"] == rt.__version__
    assert {"seed", "epochs", "data_fingerprint", "objective"} <= described["origin"].keys()


def test_a_truncated_checkpoint(saved):
    path = tensors_of(saved)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(
        rt.InputError, match=r"is damaged or truncated \(\d+ bytes, its sha256 is not the one in model.json\)"
    ):
        rt.load_model(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "tensors": "x", "sha256": "y"}'])
def test_a_damaged_description(saved, text):
    (saved / "model.json").write_text(text)
    with pytest.raises(rt.InputError, match=r"is damaged|which is missing"):
        rt.load_model(saved)


def test_a_newer_format(saved):
    described = json.loads((saved / "model.json").read_text()) | {"format": 99}
    (saved / "model.json").write_text(json.dumps(described))
    with pytest.raises(rt.InputError, match="has format 99, this version reads 1: update recsys-tutorial"):
        rt.load_model(saved)


def test_a_checkpoint_for_another_catalogue(saved):
    other = rt.from_events(["a"], ["b"]).catalogue
    with pytest.raises(rt.InputError, match=r"the data has another catalogue \(1 items, fingerprint .* than the model"):
        rt.load_model(saved, catalogue=other)


def test_tensors_of_another_model(saved, tmp_path, club):
    rt.save_model(tmp_path / "other", rt.pretrain("denoising", club, epochs=1, dim=5))
    mine = json.loads((saved / "model.json").read_text())
    theirs = json.loads((tmp_path / "other" / "model.json").read_text())
    (saved / theirs["tensors"]).write_bytes((tmp_path / "other" / theirs["tensors"]).read_bytes())
    mine |= {"tensors": theirs["tensors"], "sha256": theirs["sha256"]}
    (saved / "model.json").write_text(json.dumps(mine))
    with pytest.raises(rt.InputError, match=r"\d tensors match, missing \[\], unexpected \[\], other shape \['class"):
        rt.load_model(saved)


def test_weights_for_a_model_with_another_head(saved, model, club):
    g = rt.BagEncoder(**model.feature_extractor.config)
    other = rt.PretrainedModel.compose(g, nn.Linear(3, 2), catalogue=club.catalogue)
    head = other.classifier.weight.clone()
    report = rt.load_weights(other, saved)
    assert report.matched == ("feature_extractor.bias", "feature_extractor.item_vectors")
    assert report.other_shape == ("classifier.bias", "classifier.weight")
    assert not report.complete
    assert str(report).startswith("2 tensors match, missing [], unexpected [], other shape ['classifier.bias'")
    assert torch.equal(g.item_vectors, model.feature_extractor.item_vectors)
    assert torch.equal(other.classifier.weight, head)


def test_weights_that_fit_nothing_of_g_are_refused(saved, club):
    other = rt.PretrainedModel.compose(rt.BagEncoder(club.n_items, 7), nn.Linear(3, club.n_items))
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(rt.InputError, match=r"nothing of g matches, nothing was loaded \(2 tensors match"):
        rt.load_weights(other, saved)
    assert all(torch.equal(before[name], tensor) for name, tensor in other.state_dict().items())


def test_weights_for_another_catalogue_are_refused(saved, board):
    g = rt.BagEncoder(board.n_items, 3)
    other = rt.PretrainedModel.compose(g, nn.Linear(3, 2), catalogue=board.catalogue)
    with pytest.raises(rt.InputError, match="has another catalogue"):
        rt.load_weights(other, saved)


def test_ids_that_were_edited(saved):
    described = json.loads((saved / "model.json").read_text())
    assert described["catalogue"]["fingerprint"] == rt.load_model(saved).catalogue.fingerprint
    described["catalogue"]["ids"][0] += 1
    (saved / "model.json").write_text(json.dumps(described))
    with pytest.raises(rt.InputError, match="its item ids were changed since it was written"):
        rt.load_model(saved)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no model in '.*' \(no model.json\): give a folder that pretrain wrote"
    ):
        rt.load_model(tmp_path)


def test_a_crash_while_writing_leaves_the_old_model(saved, model, club, monkeypatch):
    before = rt.load_model(saved).score(club)
    replace = os.replace

    def crash_at_the_description(source, target):
        if str(target).endswith(".json"):
            raise OSError("disk full")
        replace(source, target)

    monkeypatch.setattr(os, "replace", crash_at_the_description)
    with torch.no_grad():
        model.classifier.bias += 1
    with pytest.raises(OSError, match=r"model\.json"):
        rt.save_model(saved, model)
    monkeypatch.undo()
    np.testing.assert_array_equal(rt.load_model(saved).score(club), before)
    rt.save_model(saved, model)
    assert len(list(saved.iterdir())) == 2  # what the crash left is gone


def test_what_cannot_be_rebuilt_is_not_saved(tmp_path):
    model = rt.PretrainedModel.compose(nn.Identity(), nn.Linear(2, 2))
    known = r"known are \['BagEncoder', 'CodedSequenceEncoder', 'FeatureEncoder', 'SequenceEncoder', 'Together'\]"
    with pytest.raises(rt.InputError, match=f"cannot save g Identity with h Linear: {known}"):
        rt.save_model(tmp_path, model)


def test_a_file_in_the_folders_place(tmp_path, model):
    (tmp_path / "taken").write_text("")
    with pytest.raises(rt.InputError, match="is a file: give a folder to write to"):
        checkpoints.save_model(tmp_path / "taken", model)
