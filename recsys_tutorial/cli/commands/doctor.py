"""``doctor``: what this machine has, or what a model's folder holds."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ...learning.checkpoints import load_model
from ...system import machine
from ..report import Report

UNSAID = ("report", "calibration", "labelled_users", "read", "more")  # of a model's origin: too long for a line


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="a model's folder, instead of this machine")


def run(args: Namespace) -> Report:
    """Say what this machine has and what is missing; or what the model in DIR is, with the report it came with."""
    if args.folder is not None:
        return _of_model(args.folder)
    records = machine.doctor()
    lines = [f"{'ok ' if row['ok'] else 'NO '} {row['name']:<18} {row['value']}" for row in records]
    return Report(records, "\n".join(lines))


def _of_model(folder: Path) -> Report:
    model = load_model(folder)
    origin: dict[str, Any] = model.origin
    found = {name: value for name, value in origin.items() if name not in UNSAID and value is not None}
    report = origin.get("report") or {"records": [], "text": "no report: no command fine-tuned or updated this model"}
    lines = [f"{name:<18} {value}" for name, value in found.items()]
    return Report([found, *report["records"]], "\n".join([*lines, "", report["text"]]))
