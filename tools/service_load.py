"""Ask the service 50 times a second on loopback, then kill it in between: ``docs/service.json``.

python tools/service_load.py [OUT.json [REQUESTS]]

The model is a bag encoder (dim 256) on 20,000 invented items, untrained: what it costs is that of a trained one. Every
request names ten items and wants the exact top 10. Requests are sent by the clock and timed from the moment they were
due, so that a slow answer does not spare the next ones. In the second part the service is killed (SIGKILL) and started
anew; a client that finds no service tries again, one whose request was under way counts as lost.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.files import to_json, write_text

ITEMS, PER_SECOND, WORKERS = 20_000, 50, 32


def write_model(folder: Path) -> None:
    """Save the model of 20,000 items."""
    torch.manual_seed(0)
    catalogue = rt.Catalogue(np.arange(ITEMS), tuple(f"Film {number} (1990)" for number in range(ITEMS)))
    head = torch.nn.Linear(256, ITEMS)
    model = rt.PretrainedModel.compose(rt.BagEncoder(ITEMS, 256), head, catalogue=catalogue, outputs=catalogue)
    rt.Recommender(model).save(folder)


def start(folder: Path, port: int = 0) -> tuple[subprocess.Popen, int]:
    """Return the service and its port, once it listens."""
    command = [sys.executable, "-m", "recsys_tutorial", "serve", str(folder), "--port", str(port), "--threads", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    return process, int(re.search(r":(\d+) ", process.stderr.readline())[1])


def ask(port: int, due: float, seed: int) -> tuple[str, float]:
    """Send one request at its time; return how it ended, and its seconds from when it was due."""
    time.sleep(max(0.0, due - time.monotonic()))
    body = json.dumps({"liked": random.Random(seed).sample(range(ITEMS), 10), "k": 10})
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.connect()
        except OSError:  # nobody listens: nothing was sent
            time.sleep(0.05)
            continue
        try:
            connection.request("POST", "/recommend", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            whole = len(json.loads(answer.read())["items"]) == 10
            return ("answered" if answer.status == 200 and whole else "wrong"), time.monotonic() - due
        except (OSError, http.client.HTTPException):
            return "lost", time.monotonic() - due
        finally:
            connection.close()


def load(port: int, n: int, pool: ThreadPoolExecutor) -> list:
    """Return the futures of ``n`` requests, ``PER_SECOND`` a second from now on."""
    began = time.monotonic() + 0.5
    return [pool.submit(ask, port, began + number / PER_SECOND, number) for number in range(n)]


def summary(part: str, futures: list) -> dict[str, object]:
    """Return counts and percentiles in milliseconds."""
    ended = [future.result() for future in futures]
    ms = [1000 * seconds for how, seconds in ended if how == "answered"]
    counts = {how: sum(one == how for one, _ in ended) for how in ("answered", "wrong", "lost")}
    quantiles = {f"{name}_ms": round(float(np.percentile(ms, q)), 1) for name, q in (("median", 50), ("p99", 99))}
    windows = [np.percentile(ms[start : start + 500], 99) for start in range(0, len(ms), 500)]
    quiet = {"p99_ms_of_each_500": [round(float(value), 1) for value in windows]}  # shows a busy neighbour
    return {"part": part, "requests": len(ended), "per_second": PER_SECOND, **counts, **quantiles, **quiet}


def main(out: Path, n: int) -> None:
    """Run both parts and write the records."""
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(WORKERS) as pool:
        folder = Path(temporary) / "model"
        write_model(folder)
        process, port = start(folder)
        records = [summary("steady", load(port, n, pool))]
        print(records[-1], flush=True)
        futures = load(port, n // 5, pool)
        time.sleep(n / 5 / PER_SECOND / 2)
        process.kill()
        process.wait()
        process, _ = start(folder, port)
        records.append(summary("killed and started anew", futures))
        print(records[-1], flush=True)
        process.terminate()
        records[-1]["exit_code_of_stop"] = process.wait(20)
    write_text(out, to_json(records))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/service.json"), int((sys.argv[2:] or [5000])[0]))
