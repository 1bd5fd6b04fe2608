"""``datasets``: what can be loaded by name."""

from __future__ import annotations

from argparse import Namespace

from ...data.published.datasets import datasets
from ..report import Report, table


def run(args: Namespace) -> Report:
    """List what can be loaded."""
    listing = datasets()
    return Report(listing.to_dict("records"), table(listing.drop(columns=["source", "citation", "checksum"])))
