"""``similar``: the items nearest to one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ...serving.recommend import Recommender
from ..arguments import add_among, add_model_folder, whole
from ..asked import among
from ..report import Report, table


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_model_folder(parser)
    parser.add_argument("--item", required=True, help="a title or an id")
    parser.add_argument("-k", type=whole(1), default=10, help="how many (default 10)")
    add_among(parser)


def run(args: Namespace) -> Report:
    """Name the items that g holds nearest to one, by the cosine of their vectors."""
    recommender = Recommender.load(args.folder)
    found = recommender.similar(args.item, args.k, among(recommender.catalogue, args))
    return Report(found.to_dict("records"), table(found.round(3)))
