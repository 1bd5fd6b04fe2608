"""``doctor``: what this machine has."""

from __future__ import annotations

from argparse import Namespace

from ...system import machine
from ..report import Report


def run(args: Namespace) -> Report:
    """Say what this machine has and what is missing."""
    records = machine.doctor()
    lines = [f"{'ok ' if row['ok'] else 'NO '} {row['name']:<18} {row['value']}" for row in records]
    return Report(records, "\n".join(lines))
