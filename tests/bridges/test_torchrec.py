"""g's table in TorchRec, whole and cut by rows over two processes, as the oracle of our rows; skipped without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import recsys_tutorial as rt
from recsys_tutorial.encoders import BagEncoder, SequenceEncoder

RATE = 0.1
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def batch() -> rt.Batch:
    """Return 12 users with up to 5 of 21 items."""
    rng = np.random.default_rng(0)
    return rt.Batch.from_lists([rng.permutation(21)[: user % 6].tolist() for user in range(12)])


def wanted() -> torch.Tensor:
    return torch.randn(12, 8, generator=torch.Generator().manual_seed(1))


def encoder() -> BagEncoder:
    torch.manual_seed(0)
    return BagEncoder(21, 8)


def test_what_is_no_bag_is_refused():
    from recsys_tutorial.bridges.torchrec import jagged

    with pytest.raises(rt.InputError, match="add up a bag of items, g is a SequenceEncoder"):
        jagged(SequenceEncoder(5, 4), batch())


@pytest.mark.parametrize("weighting", ["binary", "log"])
def test_the_collection_adds_up_what_g_does(weighting):
    pytest.importorskip("torchrec")
    from recsys_tutorial.bridges.torchrec import collection, jagged

    g = BagEncoder(21, 8, weighting=weighting, hidden=(5,))
    table = collection(g)
    summed = table(jagged(g, batch())).values()
    torch.testing.assert_close(g.layers(summed + g.bias), g(batch()))
    assert list(table.state_dict()) == ["embedding_bags.item_vectors.weight"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    pytest.importorskip("torchrec")
    out = tmp_path_factory.mktemp("rows") / "found.json"
    how = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([*TORCHRUN, __file__, str(out)], check=True, env=how, timeout=120)
    return json.loads(out.read_text())


@pytest.mark.parametrize("what", ["forward", "gradient", "step"])
def test_our_rows_are_those_of_torchrec(rows, what):
    ours, theirs = (np.array(rows[side][what]) for side in ("ours", "theirs"))
    assert np.abs(ours).max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def ours() -> dict[str, list]:
    """Take one step of plain gradient descent with our rows."""
    from recsys_tutorial.learning.sharded_decoder import sharded
    from recsys_tutorial.objectives import Denoising

    objective = Denoising(encoder())
    g = objective.encoder
    with sharded(objective):
        share = g.item_vectors.rows
        read = batch().binary()
        summed = g.sum_items(replace(read, weights=g._input_weights(read)))
        (summed * wanted()).sum().backward()
        gradient = share.gather(g.item_vectors.grad)
        torch.optim.SGD([g.item_vectors], lr=RATE).step()
        step = share.gather(g.item_vectors)
    return {"forward": summed.tolist(), "gradient": gradient.tolist(), "step": step.tolist()}


def theirs() -> dict[str, list]:
    """Take the same step in TorchRec, each process with its half of the users, the table cut row-wise."""
    import torch.distributed as dist
    from torchrec.distributed import DistributedModelParallel
    from torchrec.distributed.embeddingbag import EmbeddingBagCollectionSharder
    from torchrec.distributed.sharding_plan import construct_module_sharding_plan, row_wise
    from torchrec.distributed.types import ShardingEnv, ShardingPlan

    from recsys_tutorial.bridges.torchrec import collection, jagged

    number, g, sharder = dist.get_rank(), encoder(), EmbeddingBagCollectionSharder()
    table = collection(g)
    plan = construct_module_sharding_plan(
        table, {"item_vectors": row_wise(compute_kernel="dense")}, sharder, 2, 2, device_type="cpu"
    )
    everyone = ShardingEnv.from_process_group(dist.group.WORLD)
    cut = DistributedModelParallel(table, everyone, torch.device("cpu"), ShardingPlan({"": plan}), [sharder])
    (parameter,) = cut.parameters()  # it draws its rows anew: the first 11 and the last 10
    with torch.no_grad():
        parameter.copy_(g.item_vectors[:11] if number == 0 else g.item_vectors[11:])
    share = batch().binary().share(number, 2)
    summed = cut(jagged(g, share)).values()
    users = slice(share.first, share.first + len(share))
    (summed * wanted()[users]).sum().backward()
    gradient, before = 2 * parameter.grad.clone(), parameter.detach().clone()  # TorchRec takes the processes' mean
    parameter.grad.copy_(gradient)
    torch.optim.SGD([parameter], lr=RATE).step()
    assert not torch.equal(parameter, before)
    parts = [None, None]
    own = {"forward": summed.tolist(), "gradient": gradient.tolist(), "step": parameter.tolist()}
    dist.all_gather_object(parts, own)
    return {key: parts[0][key] + parts[1][key] for key in parts[0]}


if __name__ == "__main__":
    from recsys_tutorial.engine import processes as distributed

    with distributed.joined("cpu"):
        found = {"ours": ours(), "theirs": theirs()}
        if distributed.speaks():
            Path(sys.argv[1]).write_text(json.dumps(found))
