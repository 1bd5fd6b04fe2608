"""What each command of ``python -m recsys_tutorial`` does; the parser is in ``__main__``."""

from __future__ import annotations

import sys
import time
import warnings
from argparse import Namespace
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ..benchmark import benchmark
from ..data.files import make_folder
from ..data.interactions import Interactions
from ..data.published.datasets import DATASETS, datasets, load_dataset, unknown_dataset
from ..data.readers import read_interactions
from ..data.reports import DroppedRows
from ..data.splits import PROTOCOLS
from ..data.storage import open_interactions
from ..data.tables import ENDINGS
from ..engine import processes as distributed
from ..errors import InputError
from ..evaluation.by_name import model_by_name, warn_of_leak
from ..evaluation.evaluation import evaluate
from ..learning import checkpoints
from ..learning.pretraining import pretrain
from ..serving.recommend import Recommender
from ..serving.service.run import serve
from ..studies import label_efficiency, paired, summarise
from ..system import machine

COLUMNS = ("user", "item", "rating", "timestamp", "title", "genres")
DEMO_LABELS, DEMO_EPOCHS = (30, 100), 30
DEMO_MODELS = ("popularity", "scratch", "raw ridge", "pca + probe", "pretrained + probe", "pretrained + wide")
DEMO_LIKED = ("Toy Story (1995)", "Aladdin (1992)", "Lion King, The (1994)")


class Report(NamedTuple):
    """What a command has to say: to a program and to a person."""

    records: list[dict[Any, Any]]
    text: str


def load(
    data: str, columns: str | None = None, duplicates: str = "error", form: str | None = None, strict: bool = True
) -> Interactions:  # fmt: skip
    """Return the data set called ``data``, or the file or the folder of interactions at that path.

    Args:
        data: a name of :data:`recsys_tutorial.data.published.datasets.DATASETS`, or a path.
        columns: ``user=uid,item=sku``: how the columns of the file are called.
        duplicates: see :func:`recsys_tutorial.data.events.from_events`.
        form: see :func:`recsys_tutorial.read_interactions`.
        strict: see there too.
    """
    path = Path(data)
    is_path = path.suffix.lower() in (*ENDINGS, ".inter") or path.name != data or path.exists()
    if data not in DATASETS and not is_path:
        raise unknown_dataset(data, [near.name for near in Path().iterdir() if near.suffix in ENDINGS])
    if data in DATASETS:
        if columns is not None:
            raise InputError(f"--columns is for a file, {data!r} is not one: leave it out")
        return load_dataset(data)
    if path.is_dir():
        if columns is not None:
            raise InputError(f"--columns is for a file, {data!r} is a folder: leave it out")
        return open_interactions(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedRows)  # the report says the same
        return read_interactions(data, **_parse_columns(columns), duplicates=duplicates, form=form, strict=strict)


def _tell(interactions: Interactions) -> None:
    """Say on standard error how the data was read, and what it is; of several processes one says it."""
    if not distributed.speaks():
        return
    if interactions.report is not None:
        print(interactions.report, file=sys.stderr)
    print(interactions, file=sys.stderr)


def _parse_columns(text: str | None) -> dict[str, str]:
    columns: dict[str, str] = {}
    for part in text.split(",") if text is not None else ():
        role, _, column = map(str.strip, part.partition("="))
        if role not in COLUMNS or role in columns or not column:
            raise InputError(
                f"--columns {text!r}: write it as user=uid,item=sku, each once; the roles are {', '.join(COLUMNS)}"
            )
        columns[role] = column
    return columns


def run_demo(args: Namespace) -> Report:
    """Pretrain, fine-tune, compare and recommend on the default data."""
    interactions = load_dataset("movielens-small").filter_counts(per_user=5, per_item=5)
    print(interactions, file=sys.stderr)
    started = time.perf_counter()
    results = label_efficiency(
        interactions, DEMO_LABELS, models=DEMO_MODELS, draws=1, seed=args.seed, epochs=DEMO_EPOCHS,
        device=args.device, progress=True,
    )  # fmt: skip
    summary = summarise(results)
    gains = pd.concat(
        [
            paired(results, "pretrained + wide", "scratch"),
            paired(results, "pretrained + wide", "raw ridge"),
            paired(results, "pretrained + wide", "pca + probe"),
        ]
    )
    model = pretrain("denoising", interactions, epochs=DEMO_EPOCHS, seed=args.seed, device=args.device, progress=True)
    recommended = Recommender(model).recommend(DEMO_LIKED, k=5)
    run = {"model": "demo", "metric": "seconds", "value": time.perf_counter() - started, "peak_mb": machine.peak_mb()}
    text = "\n\n".join(
        [
            "Films that no history shows, ranked after few labelled users: NDCG@20, mean and 95 % interval of 5 seeds",
            _wide(summary),
            "Difference seed by seed, with its 95 % interval:",
            table(gains.round(3)),
            f"To someone who likes {', '.join(DEMO_LIKED)}:",
            table(recommended.round(2)),
            f"{run['value']:.0f} s, {run['peak_mb']:.0f} MB at most",
        ]
    )
    constant = {"protocol": "new-shelf", "task": "ranking", "metric": "ndcg", "k": 20}
    records = results.to_dict("records") + summary.to_dict("records")
    return Report(records + [row | constant for row in gains.to_dict("records")] + [run], text)


def _wide(summary: pd.DataFrame) -> str:
    cells = summary.apply(lambda row: f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]", axis=1)
    wide = summary.assign(cell=cells).pivot(index="model", columns="labels", values="cell")
    wide = wide.loc[summary["model"].unique()].rename(columns=lambda n: f"{n} labelled users")
    return table(wide.reset_index().rename_axis(columns=None))


def run_datasets(args: Namespace) -> Report:
    """List what can be loaded."""
    listing = datasets()
    return Report(listing.to_dict("records"), table(listing.drop(columns=["source", "citation", "checksum"])))


def run_pretrain(args: Namespace) -> Report:
    """Pretrain g and write the model to a folder; under torchrun, all processes together."""
    with distributed.joined(args.device) as device:
        return _pretrain(args, device)


def _pretrain(args: Namespace, device: str) -> Report:
    checkpoints.check_free(args.out, args.resume, args.overwrite)
    interactions = load(args.data, args.columns, args.duplicates, args.form, args.strict)
    make_folder(args.out)
    _tell(interactions)
    sampled = {} if args.sampled_softmax is None else {"sampled_softmax": args.sampled_softmax}
    end = "nothing was left to do for" if args.resume and checkpoints.is_finished(args.out) else "written to"
    started = time.perf_counter()
    model = pretrain(
        args.objective, interactions, epochs=args.epochs, dim=args.dim, seed=args.seed, device=device,
        checkpoint=args.out, resume=args.resume, overwrite=args.overwrite, shard_items=args.shard_items, progress=True,
        **sampled,
    )  # fmt: skip
    seconds, last = time.perf_counter() - started, pd.DataFrame(model.history).iloc[-1]
    record = {
        "model": args.objective, "data": interactions.name, "metric": "loss", "value": float(last["loss"]),
        "epochs": int(last["epoch"]), "seed": args.seed, "seconds": seconds,
        "peak_mb": distributed.highest(machine.peak_mb()), "processes": distributed.size(),
        "parameters": sum(p.numel() for p in model.parameters()), "out": str(args.out),
    }  # fmt: skip
    text = (
        f"{args.objective}: {record['epochs']} epochs in {seconds:.0f} s, loss {last['loss']:.1f}, "
        f"{record['parameters']:,} parameters, {record['peak_mb']:.0f} MB at most; {end} {args.out}"
    )
    return Report([record], text)


def run_evaluate(args: Namespace) -> Report:
    """Compare models under one protocol: ranking metrics with intervals over users."""
    interactions = load(args.data, args.columns, args.duplicates, args.form, args.strict)
    _tell(interactions)
    protocol = PROTOCOLS[args.protocol]
    seeded = {"seed": args.seed} if "seed" in signature(protocol).parameters else {}
    split = protocol(interactions, **seeded)
    print(split, file=sys.stderr)
    models, fit_seconds, leaks = {}, {}, {}
    for name in args.model:
        started = time.perf_counter()
        models[name] = model_by_name(name, split.train, args.seed, args.device, progress=True)
        fit_seconds[name] = time.perf_counter() - started
        leaks[name] = warn_of_leak(name, models[name], interactions)
    lengths = args.k or [k for k in (10, 20, 100) if k <= interactions.n_items]
    found = evaluate(models, split, args.metric, lengths, sampled=args.sampled, seed=args.seed, progress=True)
    if args.figure:
        from ..teaching.plots import evaluation  # here, because matplotlib is slow to import

        evaluation(found).save(args.figure)
    found = found.assign(
        data=interactions.name, fit_seconds=found["model"].map(fit_seconds), leak=found["model"].map(leaks),
        seed=args.seed, peak_mb=machine.peak_mb(),
    )  # fmt: skip
    shown = found[["model", "metric", "k", "value", "ci_low", "ci_high"]].round(4)
    return Report(found.to_dict("records"), f"{found['protocol'].iloc[0]}, {interactions.name}\n\n{table(shown)}")


def run_recommend(args: Namespace) -> Report:
    """Recommend to a person from the items they like."""
    recommended = Recommender.load(args.folder).recommend(args.liked, k=args.k)
    return Report(recommended.to_dict("records"), table(recommended.round(3)))


def run_serve(args: Namespace) -> Report:
    """Answer over HTTP with the model in a folder, until stopped (needs the extra ``serve``)."""
    serve(args.folder, args.host, args.port)
    return Report([], "stopped")


def run_benchmark(args: Namespace) -> Report:
    """Measure speed and memory as ratios: all parts take about 15 minutes on two cores, each says what it finds."""
    data = None if args.data is None else load(args.data)
    records = benchmark(args.part, args.against, args.seed, data, objectives=args.objective, progress=True)
    if args.figure:
        from ..teaching.plots import benchmark as draw  # here, because matplotlib is slow to import

        draw(pd.DataFrame(records)).save(args.figure)
    columns = ["part", "metric", "value", "low", "high", "bar", "ok", "threads", "load"]
    return Report(records, table(pd.DataFrame(records)[columns].round(2)))


def run_doctor(args: Namespace) -> Report:
    """Say what this machine has and what is missing."""
    records = machine.doctor()
    lines = [f"{'ok ' if row['ok'] else 'NO '} {row['name']:<18} {row['value']}" for row in records]
    return Report(records, "\n".join(lines))


def table(frame: pd.DataFrame) -> str:
    """Return a frame as aligned text, whole."""
    with pd.option_context("display.width", 200, "display.max_colwidth", 60):
        return frame.to_string(index=False)


Command = Callable[[Namespace], Report]
