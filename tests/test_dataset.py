"""The article's section 4, call by call."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from recsys_tutorial import BehaviorDataset, InputError, PretrainedModel, TrainingError, train


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
