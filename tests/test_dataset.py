"""The article's section 4, call by call."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import coo_array, csr_array, csr_matrix, issparse
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from recsys_tutorial import (
    Batch,
    BehaviorDataset,
    InputError,
    Interactions,
    PretrainedModel,
    TrainingError,
    train,
)
from recsys_tutorial.data.events import from_events


def test_the_articles_script_runs_and_both_losses_fall():
    torch.manual_seed(0)
    input_dim, hidden_dim, output_dim, batch_size = 20, 8, 3, 10
    labels = torch.arange(60) % 3
    behaviors = torch.rand(60, input_dim) + nn.functional.one_hot(labels, input_dim) * 3
    model = PretrainedModel(input_dim, hidden_dim, output_dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    pretrain_dataloader = DataLoader(BehaviorDataset(behaviors), batch_size=batch_size, shuffle=True)
    pretraining = [train(model, pretrain_dataloader, nn.MSELoss(), optimizer, is_pretraining=True) for _ in range(5)]
    finetune_dataloader = DataLoader(BehaviorDataset(behaviors, labels), batch_size=batch_size, shuffle=True)
    finetuning = [
        train(model, finetune_dataloader, nn.CrossEntropyLoss(), optimizer, is_pretraining=False) for _ in range(20)
    ]
    assert pretraining[-1] < 0.8 * pretraining[0]
    assert finetuning[-1] < 0.8 * finetuning[0]
    assert (model(behaviors).argmax(1) == labels).float().mean() > 0.8


def test_train_returns_the_mean_loss_and_pretraining_leaves_the_classifier_alone():
    model = PretrainedModel(4, 3, 2)
    before = model.classifier.weight.clone()
    x = torch.rand(6, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    expected = nn.functional.mse_loss(model.decoder(model.feature_extractor(x)), x).item()
    loss = train(model, DataLoader(BehaviorDataset(x), batch_size=3), nn.MSELoss(), optimizer, True)
    assert loss == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(model.classifier.weight, before)


def test_pretraining_takes_a_labelled_loader_too():
    model = PretrainedModel(4, 3, 2)
    loader = DataLoader(BehaviorDataset(torch.rand(6, 4), torch.zeros(6).long()), batch_size=2)
    assert train(model, loader, nn.MSELoss(), torch.optim.Adam(model.parameters()), True) > 0


def test_the_dataset_gives_rows_or_pairs():
    assert torch.equal(BehaviorDataset(torch.eye(3))[1], torch.tensor([0.0, 1, 0]))
    row, label = BehaviorDataset(torch.eye(3), [7, 8, 9])[2]
    assert torch.equal(row, torch.tensor([0.0, 0, 1]))
    assert label == 9
    assert len(BehaviorDataset(torch.eye(3))) == 3


def test_mismatched_labels():
    with pytest.raises(InputError, match="2 labels for 3 rows of behaviour: give one per row"):
        BehaviorDataset(torch.eye(3), [0, 1])


def test_a_nan_in_the_data_is_named():
    model = PretrainedModel(3, 2, 2)
    x = torch.eye(3)
    x[1, 1] = float("nan")
    with pytest.raises(
        TrainingError, match=r"the loss became nan at step 1 of the epoch .*lower learning_rate, or look"
    ):
        train(
            model,
            DataLoader(BehaviorDataset(x), batch_size=3),
            nn.MSELoss(),
            torch.optim.Adam(model.parameters()),
            True,
        )


A = np.random.default_rng(0).random((6, 4))
BEHAVIOUR = {
    "float64": A,
    "float16": A.astype(np.float16),
    "whole numbers": (A * 5).astype(int),
    "bool": A > 0.5,
    "big-endian": A.astype(">f4"),
    "read-only": np.broadcast_to(A[0], (6, 4)),
    "backwards": A[::-1, ::-1],
    "lists": A.tolist(),
    "a list of tensors": list(torch.rand(6, 4)),
    "DataFrame": pd.DataFrame(A, index=range(10, 16)),
    "DataFrame of several types": pd.DataFrame({"a": [1] * 6, "b": [True] * 6, "c": [0.5] * 6, "d": pd.array([2] * 6)}),
    "csr_matrix": csr_matrix(A),
    "coo_array of whole numbers": coo_array((A * 2).astype(int)),
    "Interactions": from_events([1, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 1, 2, 3]),
    "torch float64": torch.tensor(A),
    "torch bfloat16": torch.tensor(A).bfloat16(),
    "torch int64": torch.tensor(A * 5).long(),
}
CLASSES = {
    "int32": np.array([0, 1, 2] * 2, np.int32),
    "uint8": np.array([0, 1, 2] * 2, np.uint8),
    "bool": [True, False] * 3,
    "text": ["no", "maybe", "yes"] * 2,
    "categorical": pd.Categorical(["no", "maybe", "yes"] * 2),
    "Series with an index of its own": pd.Series(["no", "maybe", "yes"] * 2, index=range(10, 16)),
    "whole floats": np.array([0.0, 1.0, 2.0] * 2),
    "a column": pd.DataFrame({"y": [0, 1, 2] * 2}),
    "torch int32": torch.tensor([0, 1, 2] * 2).int(),
}


def epoch(behaviour, labels, criterion, outputs):
    """Train for an epoch as the article does, without labels and with them, and return the dataset."""
    dataset, model = BehaviorDataset(behaviour, labels), PretrainedModel(4, 3, outputs)
    optimizer = torch.optim.Adam(model.parameters())
    for pretraining, loss in ((True, nn.MSELoss()), (False, criterion)):
        assert train(model, DataLoader(dataset, batch_size=4), loss, optimizer, is_pretraining=pretraining) >= 0
    return dataset


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", BEHAVIOUR)
def test_behaviour_of_any_kind_is_taken(kind):
    given = BEHAVIOUR[kind]
    dataset = epoch(given, [0, 1, 2] * 2, nn.CrossEntropyLoss(), 3)
    rows = torch.stack([x for x, _ in (dataset[user] for user in range(len(dataset)))])
    if isinstance(given, Interactions):
        expected = Batch.of(given).dense(given.n_items)
    elif kind == "a list of tensors":
        expected = torch.stack(given)
    else:
        expected = given.toarray() if issparse(given) else given
        expected = expected if isinstance(expected, torch.Tensor) else torch.tensor(np.array(expected, dtype=float))
    assert rows.dtype == torch.float32
    assert torch.equal(rows, expected.float())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", CLASSES)
def test_classes_of_any_kind_are_taken(kind):
    dataset = epoch(A, CLASSES[kind], nn.CrossEntropyLoss(), 3)
    assert dataset.labels.dtype == (torch.float32 if kind == "whole floats" else torch.int64)
    text = kind in ("text", "categorical", "Series with an index of its own")
    assert dataset.classes == (("maybe", "no", "yes") if text else None)
    expected = [1, 0, 2] * 2 if text else [1, 0] * 3 if kind == "bool" else [0, 1, 2] * 2
    assert dataset.labels.flatten().tolist() == expected


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("labels", [A[:, 0], A[:, :1], A[:, 0].tolist(), [1, 2, 3] * 2, torch.rand(6).double()])
def test_numbers_are_held_against_the_one_output_of_their_user(labels):
    epoch(A, labels, nn.MSELoss(), 1)
    model = PretrainedModel(4, 3, 1)
    dataset = BehaviorDataset(A, labels)
    expected = (model(dataset.behaviors)[:, 0] - dataset.labels.flatten()).square().mean().item()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    found = train(model, DataLoader(dataset, batch_size=6), nn.MSELoss(), optimizer, is_pretraining=False)
    assert found == pytest.approx(expected, rel=1e-5)


def test_tensors_that_fit_stay_the_same_objects():
    x, y, z = torch.eye(3), torch.arange(3), torch.rand(3)
    assert BehaviorDataset(x).behaviors is x
    assert BehaviorDataset(x, y).labels is y
    assert BehaviorDataset(x, z).labels is z


def test_a_sparse_matrix_is_filled_one_row_at_a_time():
    wide = csr_array(([1.0, 2.0], ([0, 9], [5, 7])), shape=(1_000_000, 500_000))  # 2 TB as a table
    assert BehaviorDataset(wide)[9][7] == 2


with_nan, with_infinity = A.copy(), A.copy()
with_nan[2, 1], with_infinity[4, 0] = np.nan, np.inf


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (A[0], r"behaviour of shape \(4,\): it needs \(users, items\)"),
        (torch.rand(4), r"behaviour of shape \(4,\)"),
        (A[None], r"behaviour of shape \(1, 6, 4\)"),
        ([], r"behaviour of shape \(0,\)"),
        ([[1, 2], [1]], "rows of behaviour hold 1, 2 values: fill up the shorter ones"),
        ([torch.ones(2), torch.ones(3)], "rows of behaviour hold 2, 3 values"),
        (with_nan, "row 2 of behaviour holds nan: it needs finite real numbers"),
        (torch.tensor(with_nan), "row 2 of behaviour holds nan"),
        (with_infinity, "row 4 of behaviour holds inf"),
        (csr_matrix(with_nan), "row 2 of behaviour holds nan"),
        (A * 1e300, "row 0 of behaviour holds inf"),
        (pd.DataFrame({"a": [1.0, 2.0], "city": ["Rome", "3"]}), "row 0 of behaviour holds 'Rome'"),
        ([[1, 2], [1, "a"]], "row 1 of behaviour holds 'a'"),
        ([[1, None]], "row 0 of behaviour holds None"),
        (A.astype(complex), r"row 0 of behaviour holds \(0.6"),
        (torch.tensor(A).to(torch.complex64), r"row 0 of behaviour holds \(0.6"),
        ({"a": 1}, "row 0 of behaviour holds {'a': 1}"),
    ],
)
def test_behaviour_that_cannot_be_used_is_named(behaviour, message):
    with pytest.raises(InputError, match=message) as caught:
        BehaviorDataset(behaviour)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, None, 0, 1, 2], "row 2 of labels holds None: it needs one per user"),
        ([0, 1, np.nan, 0, 1, 2], "row 2 of labels holds nan"),
        (["a", None, "b"] * 2, "row 1 of labels holds None: .* all numbers or all names"),
        (pd.Series(["a", np.nan] * 3), "row 1 of labels holds nan"),
        (pd.array([1, None] * 3), "row 1 of labels holds (nan|<NA>)"),
        (torch.tensor([0, np.nan] * 3), "row 1 of labels holds nan"),
        ([1, "a"] * 3, "row 1 of labels holds 'a'"),
        ([1j] * 6, "row 0 of labels holds 1j"),
        ([[0, 1], [1]] * 3, "rows of labels hold 1, 2 values"),
        (np.array([0, 1, 2]), "3 labels for 6 rows of behaviour"),
        (5, "1 labels for 6 rows of behaviour"),
    ],
)
def test_labels_that_cannot_be_used_are_named(labels, message):
    with pytest.raises(InputError, match=message):
        BehaviorDataset(A, labels)


@pytest.mark.parametrize("label", [3, -1, 0.5])
def test_a_label_that_is_not_a_class_is_named(label):
    with pytest.raises(InputError, match=f"label {label} for a model of 3 classes: labels are whole numbers, 0 to 2"):
        epoch(A, [0, 1, 2, 0, 1, label], nn.CrossEntropyLoss(), 3)


def test_the_criterion_may_ignore_a_label():
    epoch(A, [0, 1, 2, 0, 1, -1], nn.CrossEntropyLoss(ignore_index=-1), 3)


def test_what_train_lacks_is_said():
    model = PretrainedModel(4, 3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    for loader in (DataLoader(BehaviorDataset(A), batch_size=2), DataLoader(TensorDataset(torch.rand(4, 4)))):
        with pytest.raises(InputError, match=r"fine-tuning needs labels, the loader has none: give BehaviorDataset"):
            train(model, loader, nn.CrossEntropyLoss(), optimizer, is_pretraining=False)
    composed = PretrainedModel.compose(model.feature_extractor, model.classifier)
    with pytest.raises(InputError, match="the model has no decoder"):
        train(composed, DataLoader(BehaviorDataset(A)), nn.MSELoss(), optimizer, is_pretraining=True)


def test_a_loader_of_ones_own_may_give_float64():
    model = PretrainedModel(4, 3, 1)
    optimizer = torch.optim.Adam(model.parameters())
    loader = DataLoader(TensorDataset(torch.tensor(A), torch.tensor(A[:, 0])), batch_size=3)
    for pretraining in (True, False):
        assert train(model, loader, nn.MSELoss(), optimizer, is_pretraining=pretraining) > 0
    assert model(torch.tensor(A)).dtype == torch.float32
