"""Rate films and get recommendations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ...errors import InputError
from ...serving.recommend import Recommender
from .base import Panel, slider

LIKED_FROM = 4


def recommend_from_ratings(recommender: Recommender, ratings: Mapping[str, int], k: int = 5) -> pd.DataFrame:
    """Return recommendations for someone who gave these films these stars.

    Films with at least 4 stars are what the person likes; the others only say what they have seen, and are left out of
    the answer too.

    Args:
        recommender: pretrained on liked items.
        ratings: title or id -> 1 to 5 stars, 0 for not seen.
        k: how many to return.

    Raises:
        InputError: no film with 4 stars or more; an unknown film.
    """
    liked = [item for item, stars in ratings.items() if stars >= LIKED_FROM]
    if not liked:
        raise InputError(f"nothing has {LIKED_FROM} stars or more: give them to a film you like")
    seen = {recommender.catalogue.index_of(item) for item, stars in ratings.items() if stars}
    only_seen = {recommender.catalogue.label(index) for index in seen}
    more = min(k + len(seen), len(recommender.outputs) - len(liked))
    found = recommender.recommend(liked, k=more)
    found = found[~found["title"].isin(only_seen)].head(k)
    return found.assign(rank=range(1, len(found) + 1)).reset_index(drop=True)


class RatingPanel(Panel):
    """One slider of stars per film, and the recommendations below.

    Args:
        recommender: pretrained on liked items.
        ratings: film -> the stars to begin with, 0 for not seen.
        k: how many recommendations to show.
    """

    def __init__(self, recommender: Recommender, ratings: Mapping[str, int], k: int = 5) -> None:
        super().__init__(
            {film: slider(film, value, range(6), width="26em") for film, value in ratings.items()},
            lambda **stars: list(recommend_from_ratings(recommender, stars, k)["title"]),
            "Sliders for your stars, and the films they lead to",
        )


def rate_films(recommender: Recommender, films: Sequence[str] | Mapping[str, int], k: int = 5) -> RatingPanel:
    """Return sliders for these films; ``films`` may say the stars to begin with, 0 when it does not."""
    return RatingPanel(recommender, films if isinstance(films, Mapping) else dict.fromkeys(films, 0), k)
