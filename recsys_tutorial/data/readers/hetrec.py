"""HetRec 2011, Last.fm: how often people listened to artists, tab-separated with headers.

Source: Cantador, Brusilovsky and Kuflik (2011), HetRec 2011, doi:10.1145/2043932.2044016.
"""

from __future__ import annotations

from pathlib import Path

from ..interactions import Interactions
from ..unquoted import read_fields
from .attributes import keyed, with_items
from .feedback import read_feedback


def read_lastfm(folder: Path, name: str) -> Interactions:
    """Read ``user_artists.dat`` (weights are play counts) and ``artists.dat``; there are no times."""
    path = folder / "artists.dat"
    artists = keyed(read_fields(path, "\t", ("id", "name", "url", "pictureURL"), header=True), "id", path)
    plays = read_feedback(folder / "user_artists.dat", ("userID", "artistID", "weight"), name)
    return with_items(plays, artists.rename_axis("item").rename(columns={"name": "title"}))
