"""``recommend``: a list for a person who names items, or for everyone, to a file."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...data.tables import check_writable
from ...errors import InputError
from ...serving.recommend import Recommender, reasons
from ...system import machine
from ..arguments import add_among, add_behaviour, add_model_folder, whole
from ..asked import among, users_of
from ..loading import behaviour_of
from ..report import Report, table, write_counted

_REASONS = 3  # shown of each item; the records have all


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_model_folder(parser)
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--liked", action="append", default=[], metavar="ITEM", help="a title or an id; repeat it")
    whom.add_argument("--users", metavar="FILE|all", help="a list for each user in a file, or for all; needs --out")
    parser.add_argument("--out", type=Path, metavar="FILE", help="with --users: to write, .csv, .tsv or .parquet")
    parser.add_argument("-k", type=whole(1), default=10, help="how many (default 10)")
    parser.add_argument("--explain", action="store_true", help="with --liked: what each of these adds to a score")
    parser.add_argument("--include-known", action="store_true", help="with --users: also items that a user has")
    add_among(parser)
    add_behaviour(parser)


def run(args: Namespace) -> Report:
    """Recommend to a person from the items they like, or to everyone."""
    _check(args)
    recommender = Recommender.load(args.folder)
    allowed = among(recommender.outputs, args)
    if args.users is None:
        recommended = recommender.recommend(args.liked, k=args.k, among=allowed)
        records, shown = recommended.to_dict("records"), recommended.round(3)
        if args.explain:
            each = reasons(recommender.explain(args.liked, recommended["item"].tolist()))
            for row, some in zip(records, each, strict=True):
                row["because"] = some.to_dict("records")
            shown["because"] = [
                "; ".join(f"{name} {adds:+.3f}" for _, name, adds in some.head(_REASONS).itertuples(index=False))
                for some in each
            ]
        return Report(records, table(shown))
    behaviour = users_of(args.users, behaviour_of(recommender.model, args.folder, args), args)
    started = time.perf_counter()
    lists = recommender.recommend_many(behaviour, args.k, include_known=args.include_known, among=allowed)
    rows = write_counted(args.out, lists, behaviour.n_users, "recommending")
    record = {"model": str(args.folder), "users": behaviour.n_users, "rows": rows, "out": str(args.out),
              "seconds": time.perf_counter() - started, "peak_mb": machine.peak_mb()}  # fmt: skip
    return Report([record], f"{behaviour.n_users:,} users, {rows:,} rows in {record['seconds']:.1f} s, in {args.out}")


def _check(args: Namespace) -> None:
    """Refuse, before anything is loaded, what does not go together."""
    if args.users is None:
        for name in ("out", "behaviour"):
            if getattr(args, name) is not None:
                raise InputError(f"--{name} is for --users FILE|all: leave one of the two out")
        if args.include_known:
            raise InputError("--include-known is for --users FILE|all: leave it out")
    elif args.explain:
        raise InputError("--explain is for --liked, one person at a time: leave it out")
    elif args.out is None:
        raise InputError("--users needs --out FILE: where are the lists to go?")
    else:
        check_writable(args.out)
