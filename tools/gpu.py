"""Measure what a GPU gives, in under eight minutes: tests, epochs over floors, quality beside the CPU's, two ranks.

python tools/gpu.py docs/gpu.json                    on a machine with a GPU, from a checkout
python tools/gpu.py OUT.json --device cpu --small    the same steps without one, to try them

What is done is written after every step; a step for which no time is left (--limit, seconds) says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a checkout that nothing was installed from

from records import write_records  # noqa: E402

import recsys_tutorial as rt  # noqa: E402
from recsys_tutorial.benchmark import Scale  # noqa: E402
from recsys_tutorial.benchmark.hardware import Meter, epoch_over_floor  # noqa: E402
from recsys_tutorial.benchmark.parts import Run  # noqa: E402
from recsys_tutorial.benchmark.quality import ndcg  # noqa: E402
from recsys_tutorial.data.splits import held_out_users  # noqa: E402
from recsys_tutorial.engine.settings import seeded  # noqa: E402
from recsys_tutorial.objectives import build_objective  # noqa: E402

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SEEDS = 3  # of denoising; the others are trained once on each device
Record = dict[str, Any]


def tests(device: str, small: bool, left: float) -> Iterator[Record]:
    """Run the tests marked cuda."""
    which = ["tests/test_cuda.py"] if small else ["tests/test_cuda.py", "tests/engine/test_processes.py"]
    command = [sys.executable, "-m", "pytest", "-m", "cuda", "-p", "no:cacheprovider", "--tb=line", *which]
    how = os.environ | {"TEST_DEVICE": device, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), *sys.path]))}
    done = subprocess.run(command, cwd=ROOT, env=how, capture_output=True, text=True, timeout=max(30, 0.5 * left))
    print(done.stdout[-3000:], done.stderr[-500:], flush=True)
    last = done.stdout.strip().splitlines()[-1]
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped|error)", last)}
    failed = [line.split(" - ")[0][7:] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    yield {"metric": "tests", "value": counts.get("passed", 0), **counts, "names_failed": failed}


def epochs(device: str, small: bool, left: float) -> Iterator[Record]:
    """Time an epoch of every objective that is trained, and hold it against its arithmetic, in fp32 and bf16."""
    run = Run(Scale(users=300, items=200, events=5000)) if small else Run()
    size = (256, 2**16) if small or device == "cpu" else (8192, 2**28)
    meters = {name: Meter(*size, device, dtype) for name, dtype in TYPES.items()}
    for name, meter in meters.items():
        meter.rates()
        rates = meter.rates()
        yield {"metric": f"flops_{name}", "value": rates.flops, "bandwidth": rates.bytes}
    bags, histories = run.bags(), run.histories()
    if small:
        histories = histories.take_users(np.arange(200))
    for objective in sorted(rt.OBJECTIVES):
        if rt.OBJECTIVES[objective].closed_form:
            continue
        data = histories if objective in ("next-item", "masked-item") else bags
        for name, meter in meters.items():
            with seeded(0):
                built = build_objective(objective, data)
            about = {"objective": objective, "dtype": name, "users": data.n_users, "items": data.n_items,
                     "events": data.n_events}  # fmt: skip
            try:
                timed = epoch_over_floor(built, data, meter, 1 if small else 3, 0) | {"metric": "epoch_over_floor"}
                yield {key: value for key, value in timed.items() if key not in ("bar", "ok", "load")} | about
            except RuntimeError as error:  # an operation that has no kernel for this type, say
                yield {"metric": "epoch_over_floor", "value": None, "why": str(error).splitlines()[0][:200]} | about


def quality(device: str, small: bool, left: float) -> Iterator[Record]:
    """Train every objective on the likes of movielens-small, on the device and on the CPU."""
    data = Run().real()
    ends = time.monotonic() + 0.75 * left  # the rest is for two ranks
    split = held_out_users(data, seed=0)
    names = ["denoising"] * SEEDS + ["next-item"] + sorted(set(rt.OBJECTIVES) - {"denoising", "next-item"})
    seeds = [*range(SEEDS), *[0] * len(names)]
    for name, seed in zip(names[:2] if small else names, seeds, strict=False):
        if time.monotonic() > ends:
            yield {"metric": "ndcg", "value": None, "objective": name, "seed": seed, "why": "no time was left"}
            continue
        found: Record = {"metric": "ndcg", "k": 100, "objective": name, "seed": seed, "data": data.name}
        how = {"epochs": 1} if small else {}
        for where, place in (("value", device), ("cpu", "cpu")):
            started = time.perf_counter()
            model = rt.pretrain(name, split.train, seed=seed, device=place, progress=False, **how)
            found |= {f"{where}_seconds": time.perf_counter() - started, where: ndcg(model, split)}
        yield found


def ranks(device: str, small: bool, left: float) -> Iterator[Record]:
    """Train in two processes on one device, by NCCL where it allows that, else by gloo; each against one process."""
    for backend in ("nccl", "gloo") if device == "cuda" else ("gloo",):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__]
        how = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), *sys.path])), "NCCL_DEBUG": "WARN"}
        started = time.perf_counter()
        try:
            done = subprocess.run(
                [*command, "-", "--device", device, "--rank-of", backend], cwd=ROOT, env=how, capture_output=True,
                text=True, timeout=min(90.0, max(20.0, left)),
            )  # fmt: skip
            out, told = done.stdout, done.stderr + done.stdout
        except subprocess.TimeoutExpired as error:
            out, told = "", f"nothing within {error.timeout:.0f} s"
        found = {"metric": "two_ranks", "backend": backend, "seconds": time.perf_counter() - started}
        lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        if lines:
            yield found | lines[-1]
        else:
            says = [re.findall(rf".*{sign}.*", told) for sign in ("Duplicate GPU", "rror", "nothing within")]
            yield found | {"value": None, "why": next(filter(None, says), ["nothing"])[0][-300:]}


def rank(device: str, backend: str) -> None:
    """Be one of two processes: train shared and cut by rows, and say how far the losses are from those of one."""
    import torch.distributed as dist

    data = Run().real().take_users(np.arange(200))
    how: Record = {"epochs": 3, "dim": 64, "seed": 0, "progress": False, "device": device}
    alone = rt.pretrain("denoising", data, **how).history["loss"].to_numpy() if os.environ["RANK"] == "0" else None
    dist.init_process_group("cpu:gloo,cuda:nccl" if backend == "nccl" else "gloo")
    losses = {
        name: rt.pretrain("denoising", data, shard_items=cut, **how).history["loss"].to_numpy()
        for name, cut in (("shared", False), ("cut_by_rows", True))
    }
    if alone is not None:
        far = {name: float(np.abs(found / alone - 1).max()) for name, found in losses.items()}
        print(json.dumps({"value": max(far.values()), **far}), flush=True)
    dist.destroy_process_group()


def main(words: list[str]) -> None:
    """Take the steps one after the other, as long as there is time, and write the file after each record."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("out")
    options.add_argument("--device", default="cuda")
    options.add_argument("--limit", type=float, default=420)
    options.add_argument("--small", action="store_true")
    options.add_argument("--rank-of", choices=("nccl", "gloo"))
    given = options.parse_args(words)
    if given.rank_of:
        return rank(given.device, given.rank_of)
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit("no GPU on this machine: --device cpu --small tries the steps without one")
    ends = time.monotonic() + given.limit
    about: Record = {
        "command": "python tools/gpu.py docs/gpu.json",
        "device": torch.cuda.get_device_name() if given.device == "cuda" else platform.machine(),
        "threads": torch.get_num_threads(), "cuda": torch.version.cuda,
        "versions": {"recsys_tutorial": rt.__version__, "python": platform.python_version(),
                     "torch": torch.__version__},
    }  # fmt: skip
    records: list[Record] = []
    for step in (tests, epochs, quality, ranks):
        left = ends - time.monotonic()
        late = [{"value": None, "why": "no time was left"}]
        try:
            for found in step(given.device, given.small, left) if left > 20 else late:
                records.append({"part": step.__name__} | {key: _short(value) for key, value in found.items()})
                print(f"{ends - time.monotonic():4.0f} s left:", json.dumps(records[-1])[:300], flush=True)
                write_records(given.out, about, records)
        except Exception as error:  # the other steps are worth their time all the same
            records.append({"part": step.__name__, "value": None, "why": f"{type(error).__name__}: {error}"[:500]})
            print(records[-1], flush=True)
    write_records(given.out, about, records)


def _short(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) and value == value else value


if __name__ == "__main__":
    main(sys.argv[1:])
