"""Things to move in a notebook. The logic of each is a plain function; the widget calls it and shows the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import ipywidgets
import pandas as pd

from .errors import InputError
from .recommend import Recommender

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
    more = min(k + len(seen), len(recommender.model.outputs) - len(liked))
    found = recommender.recommend(liked, k=more)
    found = found[~found["title"].isin(only_seen)].head(k)
    return found.assign(rank=range(1, len(found) + 1)).reset_index(drop=True)


class RatingPanel(ipywidgets.VBox):
    """One slider of stars per film, and the recommendations below, which follow.

    Args:
        recommender: pretrained on liked items.
        ratings: film -> the stars to begin with.
        k: how many recommendations to show.
    """

    def __init__(self, recommender: Recommender, ratings: Mapping[str, int], k: int = 5) -> None:
        self.recommender, self.k = recommender, k
        self.sliders = {title: self._slider(title, stars) for title, stars in ratings.items()}
        self.answer = ipywidgets.HTML()
        super().__init__([*self.sliders.values(), self.answer])
        for slider in self.sliders.values():
            slider.observe(lambda change: self.update(), names="value")
        self.update()

    @staticmethod
    def _slider(title: str, stars: int) -> ipywidgets.IntSlider:
        return ipywidgets.IntSlider(
            value=stars,
            min=0,
            max=5,
            description=title,
            style={"description_width": "18em"},
            layout={"width": "36em"},
            tooltip=f"Stars for {title}; 0 means not seen",
        )

    def __repr__(self) -> str:
        return "Sliders for your stars, and the films they lead to: run this cell to use them."

    def update(self) -> None:
        """Ask again and show the answer, or what is wrong with the question."""
        ratings = {title: slider.value for title, slider in self.sliders.items()}
        try:
            self.answer.value = as_html(recommend_from_ratings(self.recommender, ratings, self.k)[["rank", "title"]])
        except InputError as error:
            self.answer.value = f"<p>{escape(str(error))}</p>"


def as_html(table: pd.DataFrame) -> str:
    """Return a table with header cells, for screen readers, and without the index."""
    return table.to_html(index=False, border=0, justify="left")


def rate_films(recommender: Recommender, films: Sequence[str] | Mapping[str, int], k: int = 5) -> RatingPanel:
    """Return sliders for these films; ``films`` may say the stars to begin with, 0 when it does not."""
    return RatingPanel(recommender, films if isinstance(films, Mapping) else dict.fromkeys(films, 0), k)
