"""``serve``: answers over HTTP."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ...serving.service.run import serve
from ..arguments import add_model_folder, whole
from ..report import Report


def arguments(parser: ArgumentParser) -> None:
    """Add what this command takes."""
    add_model_folder(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=whole(0, 65535), default=8000, help="0 takes a free one (default 8000)")


def run(args: Namespace) -> Report:
    """Answer over HTTP with the model in a folder, until stopped (needs the extra ``serve``)."""
    serve(args.folder, args.host, args.port)
    return Report([], "stopped")
