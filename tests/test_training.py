import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from recsys_tutorial import InputError, TrainingError
from recsys_tutorial.engine.progress import Progress
from recsys_tutorial.engine.settings import Settings, one_cycle, seeded
from recsys_tutorial.training import fit, run_epoch


@dataclass
class Rows:
    """Examples for the loop: rows of one tensor."""

    x: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor) -> Tensor:
        return self.x[rows]


def line(seed: int = 0) -> tuple[nn.Linear, Rows]:
    """Return a model and data on a line: y = 2 x - 1, with a little noise."""
    torch.manual_seed(seed)
    x = torch.linspace(-1, 1, 40)[:, None]
    return nn.Linear(1, 1), Rows(torch.cat([x, 2 * x - 1 + 0.01 * torch.randn(40, 1)], 1))


def squared(model: nn.Module):
    # The noise is drawn in the loss, so that a resumed run must draw the same to end the same.
    return lambda rows: (model(rows[:, :1] + 0.01 * torch.randn(len(rows), 1)) - rows[:, 1:]).square().mean()


def test_fit_finds_the_line_and_its_history_has_a_row_an_epoch():
    model, rows = line()
    history = fit(model, squared(model), rows, Settings(60, 8, 0.2), seed=0)
    assert model.weight.item() == pytest.approx(2, abs=0.05)
    assert model.bias.item() == pytest.approx(-1, abs=0.05)
    assert history["epoch"].tolist() == list(range(1, 61))
    assert history["loss"].iloc[-1] < 0.01 * history["loss"].iloc[0]


def test_a_resumed_training_ends_bit_equal():
    torch.set_num_threads(1)
    states: list[Progress] = []
    whole, rows = line()
    history = fit(whole, squared(whole), rows, Settings(7, 8, 0.1), seed=3, on_epoch=states.append,
                  validate=lambda: whole.weight.item())  # fmt: skip
    resumed, _ = line()
    again = fit(resumed, squared(resumed), rows, Settings(7, 8, 0.1), seed=3, resume_from=states[3],
                validate=lambda: resumed.weight.item())  # fmt: skip
    assert torch.equal(whole.weight, resumed.weight)
    assert torch.equal(whole.bias, resumed.bias)
    assert again["loss"].tolist() == history["loss"].tolist()


def test_the_best_epoch_is_put_back_and_patience_ends_the_training():
    model, rows = line()
    seen: list[tuple[float, Tensor]] = []

    def validate() -> float:
        value = abs(len(seen) - 2.0)  # best at the third epoch
        seen.append((value, model.weight.detach().clone()))
        return value

    history = fit(model, squared(model), rows, Settings(30, 8, 0.1, patience=4), seed=0, validate=validate)
    assert len(history) == 7  # the third is the best, and four more bring nothing
    assert torch.equal(model.weight, seen[2][1])


def test_the_seed_alone_decides():
    weights = []
    for seed in (0, 0, 1):
        model, rows = line()
        fit(model, squared(model), rows, Settings(3, 8, 0.1), seed=seed)
        weights.append(model.weight.item())
        torch.rand(5)  # what is drawn outside must not matter
    assert weights[0] == weights[1] != weights[2]


def test_seeded_leaves_the_generator_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    with seeded(1):
        first = torch.rand(2)
    assert torch.equal(torch.rand(2), expected)
    with seeded(1):
        assert torch.equal(torch.rand(2), first)
    with seeded(1, epoch=1):
        assert not torch.equal(torch.rand(2), first)


def test_one_cycle_rises_once_and_falls_once():
    rates = [one_cycle(step / 100) for step in range(101)]
    assert max(rates) == pytest.approx(1)
    assert rates.index(max(rates)) == 30
    assert rates[0] == pytest.approx(0.04)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


def test_parameter_groups_move_by_their_scale():
    model, rows = line()
    start = model.bias.item()
    groups = [{"params": [model.weight]}, {"params": [model.bias], "scale": 0.0}]
    fit(model, squared(model), rows, Settings(3, 8, 0.1), seed=0, parameter_groups=groups)
    assert model.bias.item() == start


@pytest.mark.parametrize(
    ("loss_of", "message"),
    [
        (lambda model: lambda rows: model(rows[:, :1]).sum() * math.nan, "the loss became nan at step 1 of the epoch"),
        (lambda model: lambda rows: model(rows[:, :1]).sum() * math.inf, "the loss became -?(inf|nan) at step 1"),
        (lambda model: lambda rows: (model(rows[:, :1]) * 0).sqrt().sum(), "a gradient is not finite at step 1"),
        (lambda model: lambda rows: rows.sum(), "the loss depends on no parameter that may move"),
    ],
)
def test_the_guards_say_what_happened_and_step_nothing(loss_of, message):
    model, rows = line()
    before = model.weight.item()
    with pytest.raises(TrainingError, match=message):
        fit(model, loss_of(model), rows, Settings(2, 8, 0.1), seed=0)
    assert model.weight.item() == before


def test_nothing_to_train():
    model, rows = line()
    model.requires_grad_(False)
    with pytest.raises(TrainingError, match="every parameter is frozen"):
        fit(model, squared(model), rows, Settings(1), seed=0)
    with pytest.raises(TrainingError, match="there was no batch"):
        run_epoch([], lambda batch: batch, torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs=0: it needs to be a whole number of at least 1"),
        ({"batch_size": 1.5}, "batch_size=1.5"),
        ({"patience": 0}, "patience=0"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: it needs to be a number above 0"),
        ({"learning_rate": math.nan}, "learning_rate=nan"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        Settings(**settings)


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="seed=-1: it needs to be a whole number of at least 0"), seeded(-1):
        pass


def test_weights_that_nobody_keeps_are_not_gathered():
    class Gathering(torch.nn.Linear):
        def state_dict(self, *arguments, **how):
            raise AssertionError("tables that are cut by rows would be gathered here")

    row = {"epoch": 1.0, "loss": 1.0, "validation": float("nan")}
    assert Progress().after(row, Gathering(1, 1), None, keep=False).tensors == {}
    with pytest.raises(AssertionError, match="gathered here"):
        Progress().after(row | {"validation": 1.0}, Gathering(1, 1), None, keep=False)
