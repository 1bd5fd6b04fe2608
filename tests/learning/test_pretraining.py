"""The training around every objective."""

import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.reports import TiedTimes
from recsys_tutorial.learning import pretraining, requirements


def test_resume_after_an_interruption_ends_with_the_same_weights(board, tmp_path, monkeypatch):
    torch.set_num_threads(1)
    whole = rt.pretrain("denoising", board, epochs=6, dim=8, seed=4, checkpoint=tmp_path / "whole")
    from recsys_tutorial.learning import checkpoints

    save = checkpoints.save_progress

    def stop_after_three(folder, state, origin):
        save(folder, state, origin)
        if state.epoch == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save_progress", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        rt.pretrain("denoising", board, epochs=6, dim=8, seed=4, checkpoint=tmp_path / "cut")
    monkeypatch.undo()
    resumed = rt.pretrain("denoising", board, epochs=6, dim=8, seed=4, checkpoint=tmp_path / "cut", resume=True)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    assert sorted(path.suffix for path in (tmp_path / "cut").iterdir()) == [".json", ".safetensors"]


def test_a_killed_process_resumes_to_the_same_weights(board, tmp_path):
    path = tmp_path / "log.csv"
    rows = [f"{board.user_ids[user]},{item}" for user in range(board.n_users)
            for item in board.item_ids[board.items[board.offsets[user]:board.offsets[user + 1]]]]  # fmt: skip
    path.write_text("user,item\n" + "\n".join(rows) + "\n")
    command = [sys.executable, "-m", "recsys_tutorial", "pretrain", str(path), "--epochs", "80", "--dim", "8",
               "--threads", "1"]  # fmt: skip
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    process = subprocess.Popen([*command, "--out", str(tmp_path / "cut")], stderr=subprocess.DEVNULL, env=environment)
    while not (tmp_path / "cut" / "training.json").exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "cut" / "model.json").exists()
    for folder, more in (("cut", ["--resume"]), ("whole", [])):
        subprocess.run(
            [*command, "--out", str(tmp_path / folder), *more], check=True, capture_output=True, env=environment
        )
    cut, whole = (rt.load_model(tmp_path / folder).state_dict() for folder in ("cut", "whole"))
    assert all(torch.equal(cut[key], whole[key]) for key in whole)


def test_resume_refuses_other_settings_and_other_data(board, tmp_path):
    from recsys_tutorial.engine.progress import Progress
    from recsys_tutorial.learning import checkpoints

    checkpoints.save_progress(tmp_path, Progress(1, [], {"module.x": torch.zeros(1)}), {"seed": 0, "epochs": 5})
    with pytest.raises(
        rt.InputError, match=r"cannot resume .*epochs was 5, now 6\. Use the same settings, or another folder"
    ):
        checkpoints.load_progress(tmp_path, {"seed": 0, "epochs": 6})


def test_validation_keeps_the_best_epoch(board):
    history = rt.pretrain("denoising", board, epochs=5, dim=8, validation=0.25).history
    assert history["validation"].notna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(objective="denosing"), r"unknown objective 'denosing': did you mean 'denoising'\?"),
        (dict(objective="denoising", dropout=1.0), r"dropout=1.0: it needs to be at least 0 and below 1"),
        (dict(objective="denoising", epochs=0), r"epochs=0"),
        (dict(objective="denoising", dim=0), r"dim=0"),
        (dict(objective="denoising", seed=-1), r"seed=-1"),
        (dict(objective="denoising", validation=1.0), r"validation=1.0: it needs to be at least 0 and below 1"),
        (dict(objective=rt.Denoising(rt.BagEncoder(3, 2))), r"g was built for 3 items, 'board' has 20"),
        (dict(objective="denoising", loss="sqared"), r"unknown loss 'sqared': did you mean 'squared'\?"),
    ],
)
def test_bad_input(arguments, message, board):
    with pytest.raises(rt.InputError, match=message):
        rt.pretrain(arguments.pop("objective"), board, **arguments)


def test_held_out_users_that_ask_for_nothing_are_refused():
    """Their loss would be 0 from the first epoch on, whose weights would then be kept."""
    some = rt.from_events([*range(20), *range(20)], [*[0] * 20, *[user % 5 for user in range(20)]], duplicates="keep")
    held_out = pretraining._hold_out(20, 0.1, 0)[1]
    few = some.keep_events(~np.isin(np.repeat(np.arange(20), 2), held_out) | (np.arange(40) % 2 == 0))
    with pytest.raises(rt.InputError, match=r"next-item can use 0 of the 2 users .* are held out \(validation=0\.1\)"):
        rt.pretrain("next-item", few, epochs=2, dim=4, validation=0.1)


@pytest.mark.parametrize("name", sorted(rt.OBJECTIVES))
@pytest.mark.parametrize("dim", [10**8, 2**31 - 8])
def test_weights_beyond_the_memory_are_refused_before_they_are_made(name, dim, board, monkeypatch):
    monkeypatch.setattr(pretraining, "_build", lambda *a: pytest.fail("it was built"))
    with pytest.raises(rt.InputError, match=f"dim={dim}") as caught:
        rt.pretrain(name, board, dim=dim)
    assert "\n" not in str(caught.value)


def test_the_sum_of_what_is_needed_is_told(board, monkeypatch):
    monkeypatch.setattr(requirements.machine, "available_bytes", lambda device: 2**30)
    with pytest.raises(rt.InputError) as caught:
        rt.pretrain("autoencoder", board, dim=10**7, batch_size=40)
    weights = 4 * (2 * 20 * 10**7 + 10**7 + 20)
    assert str(caught.value) == (
        f"autoencoder with dim=10000000 on 20 items needs {(4 * weights + 8 * 40 * 10**7) / 2**30:.1f} GiB = "
        f"{weights / 2**30:.1f} (weights) + {2 * weights / 2**30:.1f} (AdamW's two moments) + "
        f"{weights / 2**30:.1f} (gradients) + 3.0 (a batch of g's vectors and their gradients), 1.0 GiB are free: "
        "take a smaller dim or fewer items"
    )


def test_what_fits_exactly_is_trained_and_one_byte_less_is_not(board, monkeypatch):
    weights = 4 * (2 * 20 * 8 + 8 + 20)
    needed = 4 * weights + 8 * 40 * 8
    for there in (needed, needed - 1):
        monkeypatch.setattr(requirements.machine, "available_bytes", lambda device, there=there: there)
        if there == needed:
            rt.pretrain("autoencoder", board, dim=8, epochs=1)
        else:
            with pytest.raises(rt.InputError, match="autoencoder with dim=8 on 20 items needs"):
                rt.pretrain("autoencoder", board, dim=8, epochs=1)


def test_an_objective_that_cannot_be_described_is_trained_all_the_same(board, monkeypatch):
    real = requirements.build_objective

    def needs_numbers(*args, **options):
        torch.zeros(1).item()
        return real(*args, **options)

    monkeypatch.setattr(requirements, "build_objective", needs_numbers)
    assert len(rt.pretrain("autoencoder", board, dim=8, epochs=1).history) == 1


def test_an_objective_that_reads_the_order_warns_where_chance_made_it():
    many = rt.from_events(np.repeat(range(20), 3), np.tile(range(3), 20), timestamp=np.zeros(60), name="at once")
    with pytest.warns(TiedTimes, match=r"next-item asks for the order of events, and in 'at once' 100%"):
        rt.pretrain("next-item", many, epochs=1, dim=8, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TiedTimes)
        rt.pretrain("denoising", many, epochs=1, dim=8, progress=False)
