"""JupyterLab on a copy of the notebooks, and a headless browser to look at it: what tools/browser.py stands on."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from start import BROWSERS, NEED_EXTRAS  # noqa: E402, F401

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
# Every cell is in the page, seen or not; nothing is fetched from outside, nothing pops up, nothing is saved.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    "docmanager-extension/plugin": {"autosave": False},
}


def missing() -> str:
    """Return why there is no browser to use, "" where there is one."""
    if not find_browser():
        return "no Chromium on the PATH (on Debian and Ubuntu: sudo apt install chromium)"
    with contextlib.suppress(ImportError):
        import playwright  # noqa: F401

        return ""
    return 'no module playwright: pip install -e ".[browser]"'


def find_browser() -> str | None:
    """Return the path of the system's browser."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def lab(notebooks: Path = ROOT / "notebooks") -> Iterator[str]:
    """Start JupyterLab on a copy of a folder of notebooks and yield its address, token included, as a format string."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in ROOT.iterdir():
            if path.name != "notebooks" and not path.name.startswith("."):
                (folder / path.name).symlink_to(path)
        shutil.copytree(notebooks, folder / "notebooks")
        for plugin, values in SETTINGS.items():
            path = folder / ".settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = {"ServerApp.port": port, "ServerApp.port_retries": 0, "IdentityProvider.token": "browser",
                   "LabApp.expose_app_in_browser": True, "ServerApp.root_dir": str(folder),
                   "LabApp.user_settings_dir": str(folder / ".settings"), "ServerApp.terminals_enabled": False,
                   "LabApp.workspaces_dir": str(folder / ".workspaces")}  # fmt: skip
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--log-level=ERROR"]
        command += [f"--{option}={value}" for option, value in options.items()]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api/status?token=browser", server)
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{}}?reset&token=browser"  # reset: no tab of before
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(address: str, server: subprocess.Popen, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(address):
            return
        time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start: try `python start.py lab` and read what it says")


@contextlib.contextmanager
def browser_page() -> Iterator[Any]:
    """Yield a page of a headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(240_000)
        yield page
        browser.close()
