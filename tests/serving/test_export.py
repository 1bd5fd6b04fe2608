"""f exported gives f's numbers, for any number of users and of items in a history."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.batches import Batch
from recsys_tutorial.encoders import Together
from recsys_tutorial.errors import InputError
from recsys_tutorial.serving.export import OnnxModel, export_onnx, export_program, pad, quantise_onnx
from recsys_tutorial.system import extras

onnx = pytest.mark.skipif(not extras.installed("export"), reason=extras.how_to_install("export"))
ENCODERS = {
    "bag": lambda: rt.BagEncoder(30, 8),
    "bag of weights": lambda: rt.BagEncoder(30, 8, (6,), "relu", "log", normalise=False),
    "causal": lambda: rt.SequenceEncoder(30, 8, max_length=5),
    "masked": lambda: rt.SequenceEncoder(30, 8, max_length=5, causal=False),
    "together": lambda: Together([rt.BagEncoder(30, 8), rt.BagEncoder(30, 4, (), "identity")], (1.0, 2.0), counts=True),
}
HISTORIES = ([[1, 2], [3], [4, 5, 6, 7]], [[29]], [[]], [[], list(range(12)), [3, 3]] * 3)


@pytest.fixture(scope="module", params=ENCODERS)
def model(request):
    torch.manual_seed(0)
    g = ENCODERS[request.param]()
    found = rt.PretrainedModel.compose(g, torch.nn.Linear(g.dim, 9))
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return found


def batches() -> list[Batch]:
    found = [Batch.from_lists(rows) for rows in HISTORIES]
    return [Batch(one.items, one.offsets, 5 * torch.rand(len(one.items))) for one in found]


def test_padding_keeps_every_event():
    items, weights = pad(Batch(torch.tensor([4, 2, 7]), torch.tensor([0, 2, 2, 3]), torch.tensor([1.0, 2.0, 3.0])))
    assert items.tolist() == [[4, 2], [-1, -1], [7, -1]]
    assert weights.tolist() == [[1, 2], [0, 0], [3, 0]]


def test_the_program_gives_the_same_scores(model):
    program = export_program(model).module()
    for batch in batches():
        np.testing.assert_allclose(program(*pad(batch)).detach().numpy(), model.score(batch), atol=1e-5)


@onnx
def test_onnx_gives_the_same_scores_and_eight_bits_nearly(model, tmp_path):
    export_onnx(model, tmp_path / "f.onnx")
    quantise_onnx(tmp_path / "f.onnx", tmp_path / "int8.onnx")
    whole, eight = OnnxModel(tmp_path / "f.onnx"), OnnxModel(tmp_path / "int8.onnx")
    for batch in batches():
        expected = model.score(batch)
        np.testing.assert_allclose(whole.score(batch), expected, atol=1e-5)
        np.testing.assert_allclose(eight.score(batch), expected, atol=0.1 * np.abs(expected).max())


@onnx
def test_the_file_names_no_folder_of_the_machine_and_is_small_in_eight_bits(tmp_path):
    f = rt.PretrainedModel.compose(rt.BagEncoder(2000, 32), torch.nn.Linear(32, 2000))
    export_onnx(f, tmp_path / "f.onnx")
    quantise_onnx(tmp_path / "f.onnx", tmp_path / "int8.onnx")
    data = (tmp_path / "f.onnx").read_bytes()
    assert b".py" not in data
    assert (tmp_path / "int8.onnx").stat().st_size < 0.35 * len(data)


@onnx
def test_what_is_no_onnx_model_is_one_line(tmp_path):
    (tmp_path / "f.onnx").write_bytes(b"no")
    with pytest.raises(InputError, match="is no ONNX model that can be run"):
        OnnxModel(tmp_path / "f.onnx")


def test_what_cannot_be_exported_is_said():
    headless = rt.PretrainedModel.compose(rt.BagEncoder(3, 2), None)
    with pytest.raises(InputError, match="has no head h"):
        export_program(headless)
    with pytest.raises(InputError, match=r"cannot export g Linear: known are .*'BagEncoder'"):
        export_program(rt.PretrainedModel.compose(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)))


def test_importing_export_brings_no_onnx():
    code = "import sys, recsys_tutorial.serving.export; print([m for m in ('onnx', 'onnxruntime') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
