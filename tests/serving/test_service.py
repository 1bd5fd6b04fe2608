"""The service as a client sees it: answers, refusals, limits, the swap of its model, start and stop."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import requests
from hypothesis import given, settings

import recsys_tutorial as rt
from recsys_tutorial.errors import InputError
from recsys_tutorial.serving.service.limits import BodyLimit
from recsys_tutorial.serving.service.live_model import Served
from recsys_tutorial.serving.service.run import serve
from recsys_tutorial.system import extras

pytestmark = pytest.mark.skipif(not extras.installed("serve"), reason=extras.how_to_install("serve"))


@pytest.fixture(scope="module")
def recommender(club) -> rt.Recommender:
    return rt.Recommender(rt.pretrain("denoising", club, seed=0, epochs=2, dim=4))


@pytest.fixture
def folder(recommender, tmp_path):
    recommender.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def served(folder) -> Served:
    return Served(folder)


@pytest.fixture
def client(served):
    from starlette.testclient import TestClient

    from recsys_tutorial.serving.service.app import create_app

    with TestClient(create_app(served, look_every=0.05), raise_server_exceptions=False) as client:
        yield client


def test_recommendations_are_those_of_the_recommender(client, recommender):
    for liked in (["Ada (1990)"], [10, "the bits"], ["10"]):
        answer = client.post("/recommend", json={"liked": liked, "k": 2})
        assert answer.status_code == 200
        assert answer.json()["items"] == recommender.recommend(liked, 2).to_dict("records")
        assert answer.json()["catalogue"] == recommender.catalogue.fingerprint


def test_similar_items_are_those_of_the_recommender(client, recommender):
    answer = client.get("/similar", params={"item": "Ada (1990)", "k": 3}).json()["items"]
    expected = recommender.similar("Ada (1990)", 3)
    assert [row["item"] for row in answer] == expected["item"].tolist()
    np.testing.assert_allclose([row["score"] for row in answer], expected["score"], rtol=1e-5)


def test_fewer_are_returned_where_fewer_are_left(client):
    assert len(client.post("/recommend", json={"liked": [10, 20, 30], "k": 100}).json()["items"]) == 2
    assert client.post("/recommend", json={"liked": [10, 20, 30, 40, 50]}).json()["items"] == []
    assert len(client.get("/similar?item=10&k=100").json()["items"]) == 4


def test_each_recommendation_says_on_request_what_called_it_up(client, recommender):
    liked = ["Ada (1990)", "the bits"]
    rows = client.post("/recommend", json={"liked": liked, "k": 2, "explain": True}).json()["items"]
    why = recommender.explain(liked, [row["item"] for row in rows])
    told = [(row["item"], reason["item"], reason["title"]) for row in rows for reason in row["because"]]
    assert told == list(why[["item", "because", "because_title"]].itertuples(index=False, name=None))
    np.testing.assert_allclose([reason["adds"] for row in rows for reason in row["because"]], why["adds"], rtol=1e-6)
    answer = client.post("/recommend", json={"liked": ["Ada (1990)"], "k": 1, "explain": "yes"})
    assert (answer.status_code, "body.explain" in answer.json()["detail"]) == (422, True)


def test_items_are_found_by_a_part_of_their_titles(client):
    def found(text, **how):
        return [row["title"] for row in client.get("/items", params={"text": text, **how}).json()["items"]]

    assert found("D") == ["Data (1993)", "Ada (1990)", "Code (1992)", "Edge (1994)"]  # those that begin with it first
    assert found("199", k=2) == ["Ada (1990)", "Bits, The (1991)"]
    assert found("(?:") == []
    assert client.get("/items?text=").status_code == 422


def test_nothing_that_a_browser_is_sent_names_another_host(client):
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert len(page.text.splitlines()) < 200
    for address in ("/", "/docs"):
        text = client.get(address).text
        assert not re.findall(r"(?:src|href|url)\s*[=(:]\s*['\"]?(?:https?:)?//[^'\"\s)]+", text)
        for part in re.findall(r"(?:src|href)=['\"](/[^'\"]+)", text):
            assert client.get(part).status_code == 200


def test_health_says_which_model(client, recommender):
    told = client.get("/health").json()
    assert told == {
        "status": "ok", "items": 5, "catalogue": recommender.catalogue.fingerprint, "version": rt.__version__,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"liked": ["Adda (1990)"]}, 404, "did you mean 'Ada (1990)'"),
        ({"liked": []}, 422, "body.liked: List should have at least 1 item"),
        ({"liked": ["Ada (1990)"], "k": 0}, 422, "body.k"),
        ({"liked": ["Ada (1990)"], "k": 2.5}, 422, "body.k"),
        ({"liked": [True]}, 422, "body.liked"),
        ({"liked": [1.5]}, 422, "body.liked.0: Input should be a valid integer"),
        ({"liked": ["x" * 201]}, 422, "at most 200"),
        ({"liked": [10] * 501}, 422, "at most 500"),
        ({"liked": ["Ada (1990)"], "folder": "/etc"}, 422, "body.folder: Extra inputs are not permitted"),
        ({"liked": ["\ud800"]}, 422, "body.liked"),
        ([], 422, "body"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(client, body, status, words):
    answer = client.post("/recommend", content=json.dumps(body), headers={"content-type": "application/json"})
    assert (answer.status_code, set(answer.json())) == (status, {"detail"})
    assert words in answer.json()["detail"]


def test_a_big_body_is_refused_however_it_comes(client):
    pieces = (b" " * 1000 for _ in range(100))
    for content in (b" " * 70_000, pieces):
        answer = client.post("/recommend", content=content)
        assert answer.status_code == 413
        assert "65,536 bytes" in answer.json()["detail"]


def test_a_body_that_does_not_arrive_is_given_up(monkeypatch):
    monkeypatch.setattr("recsys_tutorial.serving.service.limits.MAX_SECONDS", 0.01)
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    asyncio.run(BodyLimit(None)({"type": "http"}, receive, send))
    assert sent[0]["status"] == 408


def test_a_failure_shows_no_path_and_no_trace(client, served, folder, monkeypatch):
    monkeypatch.setattr(served, "recommend", lambda *_: (folder / "gone").read_text())
    answer = client.post("/recommend", json={"liked": [10]})
    assert (answer.status_code, answer.json()) == (500, {"detail": "the service failed: its log says why"})


def test_malformed_bodies_are_never_our_fault(client):
    """1,000 bodies: bytes of a good one changed, cut, doubled, and JSON of other shapes."""
    rng = np.random.default_rng(0)
    good = b'{"liked": ["Ada (1990)", 10, "the bits"], "k": 2}'
    odd = [b"", b"\xff\xfe", b"[" * 20_000, b'{"liked":' * 5_000, b'{"liked":[' + b"9" * 5_000 + b"]}", b"NaN", b"null",
           b'{"liked":[NaN]}', b'{"liked":[1e999]}', b'{"liked":{"a":1}}', b'{"liked":["\\u0000"]}']  # fmt: skip
    statuses = set()
    for number in range(1000):
        body = odd[number] if number < len(odd) else bytearray(good)
        if number >= len(odd):
            for place in rng.integers(0, len(body), rng.integers(1, 6)):
                body[place] = rng.integers(0, 256)
            body = bytes(body[: rng.integers(1, len(body))])  # cut: never whole, so never valid JSON
        answer = client.post("/recommend", content=bytes(body), headers={"content-type": "application/json"})
        statuses.add(answer.status_code)
        assert 400 <= answer.status_code < 500, body
        assert set(answer.json()) == {"detail"}
        assert "Traceback" not in answer.text
    assert statuses <= {400, 404, 413, 422}


@pytest.mark.skipif(not extras.has_module("schemathesis"), reason="schemathesis is in the extra 'test-extras'")
def test_schemathesis_finds_nothing(served):
    import schemathesis

    from recsys_tutorial.serving.service.app import create_app

    tried = []
    for operation in schemathesis.openapi.from_asgi("/openapi.json", create_app(served)).get_all_operations():

        @given(operation.ok().as_strategy())
        @settings(max_examples=60)
        def one(case):
            tried.append(case.path)
            case.call_and_validate()

        one()
    assert len(tried) > 100
    assert set(tried) == {"/recommend", "/items", "/similar", "/health"}


# --- another model ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other(board) -> rt.Recommender:
    return rt.Recommender(rt.pretrain("denoising", board, seed=0, epochs=1, dim=4))


def wait_until(true, seconds=10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_model_is_replaced_while_requests_come(client, served, folder, other):
    statuses, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            statuses.append(client.post("/recommend", json={"liked": [10], "k": 1}).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    other.save(folder)
    wait_until(lambda: client.get("/health").json()["catalogue"] == other.catalogue.fingerprint)
    stop.set()
    asking.join()
    assert set(statuses) == {200}
    assert client.get("/health").json()["items"] == 20


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_link_to_another_folder_replaces_the_model(recommender, other, tmp_path):
    recommender.save(tmp_path / "one")
    other.save(tmp_path / "two")
    (tmp_path / "now").symlink_to("one")
    served = Served(tmp_path / "now")
    assert not served.refresh()
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").replace(tmp_path / "now")
    assert served.refresh()
    assert served.fingerprint == other.catalogue.fingerprint


def test_a_damaged_model_does_not_replace_the_old_one(served, folder, recommender, capsys):
    (folder / "model.json").write_text("{")
    assert not served.refresh()
    assert "the old one goes on: " in capsys.readouterr().err
    assert served.recommend([10], 1) == recommender.recommend([10], 1).to_dict("records")
    assert not served.refresh()
    assert capsys.readouterr().err == "", "told once"


# --- start and stop ---------------------------------------------------------------------------------------


def start(folder, port=0) -> tuple[subprocess.Popen, str]:
    command = [sys.executable, "-m", "recsys_tutorial", "serve", str(folder), "--port", str(port), "--threads", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    return process, re.search(r"http://127\.0\.0\.1:\d+", line)[0]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_command_serves_on_loopback_and_stops_when_told_to(folder):
    process, url = start(folder)
    try:
        assert requests.get(f"{url}/health", timeout=10).json()["status"] == "ok"
        with pytest.raises(InputError, match=r"cannot listen on 127\.0\.0\.1, port \d+ \(.*\): take another --port"):
            serve(folder, port=int(url.rsplit(":", 1)[1]))
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in (0, -signal.SIGTERM)
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()


def test_a_folder_without_a_model_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no model in"):
        serve(tmp_path)
