"""``evaluate``: models side by side under one protocol."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from inspect import signature
from pathlib import Path

from ...data.splits import PROTOCOLS
from ...errors import InputError
from ...evaluation.by_name import BASELINES, check_name, check_validation, model_by_name, parts_of, warn_of_leak
from ...evaluation.evaluation import check_asked, check_by, evaluate
from ...evaluation.on_labels import evaluate_on_labels
from ...learning.checkpoints import load_model
from ...objectives import OBJECTIVES
from ...system import machine
from ..arguments import add_data, add_labels, lengths, names, whole
from ..loading import labels_of, load_told
from ..report import Report, table


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_data(parser)
    parser.add_argument("--model", type=names, default=["popularity", "ease"], metavar="NAME|DIR[,NAME...]",
                        help=f"{', '.join([*BASELINES, *OBJECTIVES])}, pretrained folders, or blends, A+B")  # fmt: skip
    parser.add_argument("--protocol", choices=PROTOCOLS, default="held-out-users")
    parser.add_argument("--refit", action="store_true", help="leave-one-out, temporal: train on validation events too")
    parser.add_argument("--metric", type=names, default=["ndcg", "recall"], metavar="NAME[,NAME...]",
                        help="ndcg,recall,mrr,map,hit_rate,coverage,...")  # fmt: skip
    parser.add_argument("--k", type=lengths, metavar="K[,K...]", help="lengths of the list (default 10,20,100)")
    parser.add_argument("--sampled", type=whole(1), metavar="N", help="rank among N random items: to see it mislead")
    parser.add_argument("--by", choices=["transition"],
                        help="users apart: has training shown the step from the last item to the target?")  # fmt: skip
    parser.add_argument("--labels", metavar="LABELS", help="evaluate folders of finetune on these, from DATA")
    add_labels(parser)
    parser.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the table with its intervals")


def run(args: Namespace) -> Report:
    """Compare models under one protocol: ranking metrics with intervals over users; or fine-tuned ones on labels."""
    if args.labels is not None:
        return _on_labels(args)
    for name in args.model:
        check_name(name)
    interactions = load_told(args)
    protocol = PROTOCOLS[args.protocol]
    asked = {"seed": args.seed, "refit": args.refit}
    taken = signature(protocol).parameters
    if args.refit and "refit" not in taken:
        able = " and ".join(name for name, made in PROTOCOLS.items() if "refit" in signature(made).parameters)
        raise InputError(f"--refit is for --protocol {able}, not for {args.protocol}: leave it out")
    split = protocol(interactions, **{name: value for name, value in asked.items() if name in taken})
    print(split, file=sys.stderr)
    lengths = args.k or [k for k in (10, 20, 100) if k <= interactions.n_items] or [interactions.n_items]
    for name in (name for name in args.model if len(parts_of(name)) > 1):
        check_validation(name, split.validation)
    check_asked(split, args.metric, lengths, args.sampled)  # before anything is trained
    if args.by is not None:
        if args.figure:
            raise InputError("--figure draws all users together: leave it out, or --by")
        check_by(args.by, split, args.metric)
    models, fit_seconds, leaks = {}, {}, {}
    for name in args.model:
        started = time.perf_counter()
        models[name] = model_by_name(name, split.train, args.seed, args.device, validation=split.validation)
        fit_seconds[name] = time.perf_counter() - started
        leaks[name] = warn_of_leak(name, models[name], interactions)
    how = {"ties": True} if args.by is None else {"by": args.by}
    found = evaluate(models, split, args.metric, lengths, sampled=args.sampled, seed=args.seed, **how)
    if args.figure:
        from ...teaching.plots import evaluation  # here, because matplotlib is slow to import

        evaluation(found).save(args.figure)
    found = found.assign(
        data=interactions.name, fit_seconds=found["model"].map(fit_seconds), leak=found["model"].map(leaks),
        seed=args.seed, peak_mb=machine.peak_mb(),
    )  # fmt: skip
    group = [] if args.by is None else ["group", "users"]
    shown = found[["model", "metric", "k", *group, "value", "ci_low", "ci_high"]].round(4)
    return Report(found.to_dict("records"), f"{found['protocol'].iloc[0]}, {interactions.name}\n\n{table(shown)}")


def _on_labels(args: Namespace) -> Report:
    """Compare fine-tuned folders on labels: each on the users that none of them learned from."""
    labels = labels_of(args.labels, args)
    for name in args.model:
        if not Path(name).is_dir():
            raise InputError(f"--labels is for folders of finetune, {name!r} is none: leave one of the two out")
    models = {name: load_model(name) for name in args.model}
    task = labels.on(load_told(args))
    print(task.report, file=sys.stderr)
    found = evaluate_on_labels(models, task).assign(seed=args.seed, peak_mb=machine.peak_mb())
    shown = found[["model", "metric", "value", "ci_low", "ci_high", "users"]].round(4)
    learned = f", {found['without'].iloc[0]:,} that were learned from left out" if found["without"].iloc[0] else ""
    return Report(found.to_dict("records"), f"{task.name}, {args.labels}{learned}\n\n{table(shown)}")
