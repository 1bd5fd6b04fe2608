"""Things to move in a notebook. The logic of each is a plain function; the widget calls it and shows the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import ipywidgets
import numpy as np
import pandas as pd

from .errors import InputError
from .metrics import FROM_HITS, from_hits
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
            style={"description_width": "26em"},
            layout={"width": "44em"},
            tooltip=f"Stars for {title}; 0 means not seen",
        )

    def __repr__(self) -> str:
        return "Sliders for your stars, and the films they lead to: run this cell to use them."

    def update(self) -> None:
        """Ask again and show the answer, or what is wrong with the question."""
        ratings = {title: slider.value for title, slider in self.sliders.items()}
        try:
            self.answer.value = as_list(recommend_from_ratings(self.recommender, ratings, self.k)["title"])
        except InputError as error:
            self.answer.value = f"<p>{escape(str(error))}</p>"


def as_html(table: pd.DataFrame) -> str:
    """Return a table with header cells, for screen readers, and without the index."""
    return table.to_html(index=False, border=0, justify="left")


def as_list(lines: Iterable[str]) -> str:
    """Return a numbered list in HTML."""
    return "<ol>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ol>"


def rate_films(recommender: Recommender, films: Sequence[str] | Mapping[str, int], k: int = 5) -> RatingPanel:
    """Return sliders for these films; ``films`` may say the stars to begin with, 0 when it does not."""
    return RatingPanel(recommender, films if isinstance(films, Mapping) else dict.fromkeys(films, 0), k)


def metric_playground_values(ranks: Sequence[int], n: int = 10, relevant: int | None = None) -> dict[str, float]:
    """Return every ranking metric of one list, from where its hits stand.

    Args:
        ranks: where the relevant items that were ranked stand, from 1; those beyond ``n`` fell off the list.
        n: places in the list, the k of the metrics.
        relevant: relevant items in all, ranked or not; None: as many as ``ranks``.

    Raises:
        InputError: a rank or ``n`` below 1, two hits in one place, fewer relevant items than hits, none at all.
    """
    ranks = list(ranks)
    relevant = len(ranks) if relevant is None else relevant
    for name, value in [("n", n), *(("rank", rank) for rank in ranks)]:
        if value < 1:
            raise InputError(f"{name}={value}: places are counted from 1")
    twice = [rank for rank in ranks if ranks.count(rank) > 1]
    if twice:
        raise InputError(f"two hits at rank {twice[0]}: a place holds one item, move one of them")
    if relevant < max(1, len(ranks)):
        raise InputError(f"relevant={relevant}: it needs to be at least {max(1, len(ranks))}, the hits among them")
    hits = np.isin(np.arange(1, n + 1), ranks).astype(float)[None]
    return {name: float(from_hits(name, hits, np.array([float(relevant)]))[0]) for name in FROM_HITS}


class MetricPanel(ipywidgets.VBox):
    """One slider for each hit's rank, one for the length of the list, one for what could be found; the metrics below.

    Args:
        ranks: where the hits stand to begin with.
        n: places in the list to begin with, at most ``LONGEST``.
        relevant: relevant items in all to begin with; None: as many as ``ranks``.

    Raises:
        InputError: one of them is not between 1 and ``LONGEST``.
    """

    LONGEST = 20

    def __init__(self, ranks: Sequence[int] = (1, 4), n: int = 10, relevant: int | None = None) -> None:
        names = [f"rank of hit {number}" for number in range(1, len(ranks) + 1)]
        self.hits = [self._slider(name, rank) for name, rank in zip(names, ranks, strict=True)]
        self.n = self._slider("places in the list", n)
        self.relevant = self._slider("relevant items in all", len(ranks) if relevant is None else relevant)
        self.answer = ipywidgets.HTML()
        sliders = [*self.hits, self.n, self.relevant]
        super().__init__([*sliders, self.answer])
        for slider in sliders:
            slider.observe(lambda change: self.update(), names="value")
        self.update()

    @classmethod
    def _slider(cls, name: str, value: int) -> ipywidgets.IntSlider:
        if not 1 <= value <= cls.LONGEST:
            raise InputError(f"{name}={value}: it needs to be between 1 and {cls.LONGEST}, the ends of the slider")
        return ipywidgets.IntSlider(
            value=value,
            min=1,
            max=cls.LONGEST,
            description=name,
            style={"description_width": "12em"},
            layout={"width": "30em"},
            tooltip=f"{name}, 1 to {cls.LONGEST}; the arrow keys move it",
        )

    def __repr__(self) -> str:
        return "Sliders for where the hits stand in a list, and what each metric says: run this cell to use them."

    def update(self) -> None:
        """Compute the metrics and show them, or what is wrong with the list."""
        try:
            values = metric_playground_values([hit.value for hit in self.hits], self.n.value, self.relevant.value)
        except InputError as error:
            self.answer.value = f"<p>{escape(str(error))}</p>"
            return
        rows = [(f"{name}@{self.n.value}", f"{value:.3f}") for name, value in values.items()]
        self.answer.value = as_html(pd.DataFrame(rows, columns=["metric", "value"]))


def at_labels(summary: pd.DataFrame, labels: int) -> pd.DataFrame:
    """Return what each model reaches with so many labels, best first: columns ``model, value, interval``.

    Args:
        summary: from :func:`recsys_tutorial.summarise`.
        labels: one of its numbers of labels.

    Raises:
        InputError: the summary has no such number.
    """
    known = sorted(summary["labels"].unique().tolist())
    if labels not in known:
        raise InputError(f"labels={labels}: the results are for {', '.join(map(str, known))}")
    rows = summary[summary["labels"] == labels].sort_values("value", ascending=False)
    interval = [f"{low:.3f} to {high:.3f}" for low, high in zip(rows["ci_low"], rows["ci_high"], strict=True)]
    return rows[["model", "value"]].round(4).assign(interval=interval).reset_index(drop=True)


class LabelPanel(ipywidgets.VBox):
    """A slider over the numbers of labels of a study, and the table of models below, best first.

    Args:
        summary: from :func:`recsys_tutorial.summarise`.
    """

    def __init__(self, summary: pd.DataFrame) -> None:
        self.summary = summary
        self.labels = ipywidgets.SelectionSlider(
            options=sorted(summary["labels"].unique().tolist()),
            description="labelled users",
            style={"description_width": "10em"},
            layout={"width": "34em"},
            tooltip="Number of labelled users; the arrow keys move it",
        )
        self.answer = ipywidgets.HTML()
        super().__init__([self.labels, self.answer])
        self.labels.observe(lambda change: self.update(), names="value")
        self.update()

    def __repr__(self) -> str:
        return "A slider over the number of labels, and what each model reaches: run this cell to use it."

    def update(self) -> None:
        """Show the table of the chosen number."""
        self.answer.value = as_html(at_labels(self.summary, self.labels.value))
