"""Listen, answer, and stop when told to, the requests that have begun being answered first."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from ...errors import InputError
from ...system.extras import require
from .live_model import Served


def serve(folder: str | Path, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the model in ``folder`` until SIGTERM or Ctrl-C.

    Args:
        folder: written by ``pretrain``; a new model in it replaces the old one within seconds.
        host: the address to listen on; 127.0.0.1 is heard on this machine alone.
        port: 0 takes a free one; the address is said on standard error.

    Raises:
        InputError: the extra ``serve`` is not installed; the address cannot be had.
    """
    require("serve", "the service")
    import uvicorn

    from .app import create_app

    served = Served(folder)
    config = uvicorn.Config(
        create_app(served), log_level="warning", access_log=False, timeout_graceful_shutdown=10, server_header=False
    )
    with _listen(host, port) as listening:
        address, taken = listening.getsockname()[:2]
        where = f"http://{f'[{address}]' if ':' in address else address}:{taken}"
        items = len(served.recommender.catalogue)
        told = f"recsys-tutorial: serving {items:,} items at {where} (a page to try it; for programs: /docs)"
        print(told, file=sys.stderr, flush=True)
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait for old connections
        found.bind(address)
        found.listen(512)  # now, so that who reads the address below may call at once
    except OSError as error:
        raise InputError(f"cannot listen on {host}, port {port} ({error.strerror}): take another --port") from error
    return found
