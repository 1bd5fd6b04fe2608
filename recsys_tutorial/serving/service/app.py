"""The service: its page, four addresses for programs, and one way to say what is wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi_offline import FastAPIOffline
from pydantic import Field
from starlette.exceptions import HTTPException

from ... import __version__
from ...errors import InputError
from .limits import BodyLimit
from .live_model import Served
from .messages import Answer, Found, Health, Length, Liked, Problem, Title

PAGE = Path(__file__).with_name("page.html")
# The page holds all that it needs, and asks this service alone.
ONLY_HERE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
}
SAID = {
    400: {"model": Problem, "description": "the body cannot be read"},
    404: {"model": Problem, "description": "an item is not in the catalogue; near ones are suggested"},
    413: {"model": Problem, "description": "the body is too large"},
    422: {"model": Problem, "description": "a field is missing or not what it should be"},
}


def create_app(served: Served, look_every: float = 1.0) -> FastAPI:
    """Return the application that answers with ``served``.

    Args:
        served: the model.
        look_every: seconds between two looks at its folder for another model.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_look(served, look_every))
        yield
        task.cancel()

    app = FastAPIOffline(title="recsys_tutorial", version=__version__, lifespan=lifespan, responses=SAID)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(InputError, lambda _, error: _problem(404, str(error)))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, lambda *_: _problem(500, "the service failed: its log says why"))

    page = PAGE.read_text(encoding="utf-8")

    @app.get("/", include_in_schema=False)
    async def start() -> HTMLResponse:
        return HTMLResponse(page, headers=ONLY_HERE)

    # Each answer takes a few milliseconds of one core: handing it to a thread would only add to them.
    @app.post("/recommend", response_model_exclude_none=True)
    async def recommend(asked: Liked) -> Answer:
        """Return what to recommend to a person who likes these items."""
        return Answer(items=served.recommend(asked.liked, asked.k, asked.explain), catalogue=served.fingerprint)

    @app.get("/items")
    async def items(text: Annotated[Title, Field(description="a part of a title, any case")], k: Length = 10) -> Found:
        """Return items whose titles hold this text: for completion."""
        return Found(items=served.find(text, k), catalogue=served.fingerprint)

    @app.get("/similar")
    async def similar(item: Annotated[Title, Field(description="raw id or title")], k: Length = 10) -> Answer:
        """Return the items whose vectors in g's first layer are nearest to this one's."""
        return Answer(items=served.similar(item, k), catalogue=served.fingerprint)

    @app.get("/health")
    async def health() -> Health:
        """Say that the service is up, and with which model."""
        items = len(served.recommender.catalogue)
        return Health(status="ok", items=items, catalogue=served.fingerprint, version=__version__)

    return app


async def _look(served: Served, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await asyncio.to_thread(served.refresh)


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


def _refused(_: Request, error: HTTPException) -> JSONResponse:
    return _problem(error.status_code, str(error.detail), error.headers)


def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    """Name the fields and what they need, without repeating what was sent."""
    told = [f"{_field(found['loc'])}: {found['msg']}" for found in error.errors()[:5]]
    return _problem(422, ascii("; ".join(told))[1:-1])


def _field(place: tuple[int | str, ...]) -> str:
    """Return where a fault lies, such as ``body.liked.0``, without pydantic's names for the types that it tried."""
    return ".".join(str(part) for part in place if isinstance(part, int) or part.isidentifier())
