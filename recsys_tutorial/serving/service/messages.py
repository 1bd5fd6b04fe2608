"""What goes in and out of the service, with its limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr


def _number(value: object) -> object:
    """Let 5.0 be 5, as in JSON Schema, but no truth value and no text."""
    if isinstance(value, bool | str):
        raise ValueError("needs to be a whole number")
    return value


_OF_JSON = BeforeValidator(_number)  # stands last: what comes before it is still told in the schema
Title = Annotated[StrictStr, Field(min_length=1, max_length=200)]
_EXACT = 2**53  # beyond it a JSON number is not exact in most languages: send such an id as text
Item = Annotated[int, Field(ge=-_EXACT, le=_EXACT), _OF_JSON] | Title
_LENGTH = Field(ge=1, le=100, description="how many to return; fewer where fewer are left")
Length = Annotated[int, _LENGTH]  # of an address, where all is text


class Liked(BaseModel):
    """What a person likes, oldest first: raw ids or titles (any case; the year may be left out)."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"liked": ["Toy Story (1995)", 364], "k": 5}]}
    )

    liked: list[Item] = Field(min_length=1, max_length=500)
    k: Annotated[int, _LENGTH, _OF_JSON] = 10
    explain: Annotated[bool, Field(strict=True, description="say what each liked item adds to each score")] = False


class Reason(BaseModel):
    """A liked item, and what it adds to a score."""

    item: int | str
    title: str
    adds: float


class Scored(BaseModel):
    """One item of a list."""

    rank: int
    item: int | str
    title: str
    score: float
    because: Annotated[list[Reason] | None, Field(description="where it was asked for: what adds most first")] = None


class Answer(BaseModel):
    """The best items first, and the catalogue of the model that chose them."""

    items: list[Scored]
    catalogue: str


class Named(BaseModel):
    """An item of the catalogue."""

    item: int | str
    title: str


class Found(BaseModel):
    """Items whose titles hold what was asked for, those that begin with it first."""

    items: list[Named]
    catalogue: str


class Health(BaseModel):
    """The service is up, with this model."""

    status: str
    items: int
    catalogue: str
    version: str


class Problem(BaseModel):
    """What was wrong with a request, and what to do instead."""

    detail: str
