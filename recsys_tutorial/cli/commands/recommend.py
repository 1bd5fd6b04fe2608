"""``recommend``: a list for a person."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ...serving.recommend import Recommender
from ..arguments import add_model_folder, whole
from ..report import Report, table


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_model_folder(parser)
    parser.add_argument("--liked", action="append", default=[], metavar="ITEM", help="a title or an id; repeat it")
    parser.add_argument("-k", type=whole(1), default=10, help="how many (default 10)")


def run(args: Namespace) -> Report:
    """Recommend to a person from the items they like."""
    recommended = Recommender.load(args.folder).recommend(args.liked, k=args.k)
    return Report(recommended.to_dict("records"), table(recommended.round(3)))
