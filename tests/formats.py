"""A small valid copy of every format that is read, and ways to damage it; also for ``tools/fuzz_readers.py``."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from recsys_tutorial.data.interactions import Interactions
from recsys_tutorial.data.readers import feedback, hetrec, mind, movielens, read_interactions, weblog
from recsys_tutorial.errors import InputError

TABLE = "user,item,rating,timestamp,title,genres\n" + "".join(
    f"{user},{item},{rating},{time},{title},{genres}\n"
    for user, item, rating, time, title, genres in [
        (1, 10, 4.0, 1_500_000_000, '"Lion King, The (1994)"', "Animation|Musical"),
        (1, 11, 3.5, 1_500_000_100, "Heat (1995)", "Crime"),
        (2, 10, 5.0, 1_400_000_000, '"Lion King, The (1994)"', "Animation|Musical"),
        (3, 12, 1.0, 1_500_000_200, "Amélie (2001)", ""),
    ]
)
INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
INTER += "u1\ti1\t4\t1500000000\nu1\ti2\t3.5\t1500000001\nu2\ti1\t1\t15\n"
DOTS = "1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n"
FILMS_DOTS = "10::Toy Story (1995)::Animation|Comedy\n20::Léon (1994)::Drama\n30::Not rated (1999)::War\n"
FILM_100K = "|01-Jan-1995||http://a.b/c|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
BEHAVIOURS = (
    "1\tU1\t11/12/2019 2:14:46 PM\tN1 N2\tN3-1 N4-0\n2\tU2\t11/13/2019 1:00:00 AM\t\tN1-0 N2-1\n"
    "3\tU1\t11/13/2019 9:00:00 AM\tN1 N2\tN4-1\n"
)
NEWS = "".join(f"N{n}\tsports\tgolf\tThe \"news\" {n}\tabstract\thttp://a\t[]\t[]\n" for n in range(1, 6))
WEB = 'I,4,"www","x"\nT,1,"VRoot",0,0,"VRoot"\nN,0,"0"\nA,1000,1,"Start, page","/s"\nA,1001,1,"Support","/u"\n'
VOTES = 'C,"10001",10001\nV,1000,1\nV,1001,1\nC,"10002",10002\nV,1001,1\n'


def parquet() -> bytes:
    """A Parquet file with the table's first four columns."""
    sink = pa.BufferOutputStream()
    columns = {"user": [1, 1, 2], "item": ["a", "b", "a"], "rating": [1.0, 2.0, 3.0], "timestamp": [5, 6, 7]}
    pa.parquet.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def named(reader: Callable[[Path, str], Interactions]) -> Callable[[Path], Interactions]:
    """Return a reader of a folder."""
    return lambda folder: reader(folder, "set")


def one(file: str, **options: object) -> Callable[[Path], Interactions]:
    """Return a reader of one file in a folder."""
    return lambda folder: read_interactions(folder / file, **options)


# name -> (its files, how the folder is read)
FORMATS: dict[str, tuple[dict[str, bytes], Callable[[Path], Interactions]]] = {
    "csv": ({"a.csv": TABLE.encode()}, one("a.csv")),
    "csv, lenient": ({"a.csv": TABLE.encode()}, one("a.csv", strict=False)),
    "tsv": ({"a.tsv": TABLE.replace(",", "\t").encode()}, one("a.tsv", duplicates="keep")),
    "txt": ({"a.txt": TABLE.replace(",", ";").encode()}, one("a.txt", duplicates="last")),
    "parquet": ({"a.parquet": parquet()}, one("a.parquet", duplicates="sum")),
    "sequences": ({"a.txt": b"1 10 11 12\n2 11\n3 12 10 12 11\n"}, one("a.txt")),
    "sequences, said so": ({"a.txt": b"u1 a b\nu2 b\tc b\n"}, one("a.txt", form="sequences")),
    "recbole": (
        {
            "a.inter": INTER.encode(),
            "a.user": b"user_id:token\tage:float\tgender:token\nu1\t20\tF\nu2\t\tM\n",
            "a.item": b"item_id:token\tmovie_title:token_seq\tclass:token_seq\ni1\tToy Story\tAnimation Comedy\n",
        },
        one("a.inter"),
    ),
    "movielens csv": (
        {
            "ratings.csv": b"userId,movieId,rating,timestamp\n1,10,4.0,964982703\n2,20,3.5,964981247\n",
            "movies.csv": 'movieId,title,genres\n10,"Léon, or (1994)",Drama|War\n20,X,(no genres listed)\n'.encode(),
        },
        named(movielens.read_csv),
    ),
    "movielens dat": (
        {
            "ratings.dat": DOTS.encode(),
            "movies.dat": FILMS_DOTS.encode("latin-1"),
            "users.dat": b"1::F::1::10::48067\n2::M::56::16::70072\n",
        },
        named(movielens.read_dat),
    ),
    "movielens 100k": (
        {
            "u.data": b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
            "u.item": "".join(f"{n}|Té {n}{FILM_100K}" for n in (242, 302, 303)).encode("latin-1"),
            "u.user": b"196|24|M|technician|85711\n186|53|F|other|94043\n",
        },
        named(movielens.read_100k),
    ),
    "lastfm": (
        {
            "user_artists.dat": b"userID\tartistID\tweight\n2\t51\t13883\n2\t52\t11690\n3\t51\t1\n",
            "artists.dat": "id\tname\turl\tpictureURL\n51\tSigur Rós\thttp://a\t\n52\tX\thttp://b\thttp://c\n".encode(),
        },
        named(hetrec.read_lastfm),
    ),
    "anime": (
        {
            "anime_history.dat": b"User_ID\tAnime_ID\tFeedback\n1\t1\t1\n1\t2\t1\n2\t1\t1\n",
            "anime_ratings.dat": b"User_ID\tAnime_ID\tFeedback\n1\t1\t8\n2\t1\t5\n",
            "anime_info.dat": "anime_ids\tname\tgenre\ttype\tepisodes\trating\tmembers\n"
            "1\tGintama&#039;\tAction, Comedy\tTV\t51\t9.2\t1\n2\tGintama°\t\tTV\tUnknown\t\t1\n".encode(),
        },
        named(feedback.read_anime),
    ),
    "retailrocket": (
        {
            "view_ecommerce.dat": b"visitorid\titemid\tevent\n1\t1\t1\n1\t2\t1\n2\t2\t1\n",
            "purchase_ecommerce.dat": b"visitorid\titemid\tevent\n1\t1\t1\n",
        },
        named(feedback.read_retailrocket),
    ),
    "msweb": (
        {"anonymous-msweb.data": (WEB + VOTES).encode(), "anonymous-msweb.test": (WEB + VOTES).encode()},
        named(weblog.read_msweb),
    ),
    "mind": ({"behaviors.tsv": BEHAVIOURS.encode(), "news.tsv": NEWS.encode()}, named(mind.read_mind)),
}
SPICES = (
    b"\0", b'"', b"'", b"\r", b"\n", b"\r\n", b"\t", b",", b";", b"|", b"::", b" ", b"\x1f", b"\xff", b"\xef\xbb\xbf",
    b"-", b"-1", b"nan", b"NaN", b"inf", b"1e999", b"0", b"007", b"1.5", b"9" * 30, b"9223372036854775808", b"0x10",
    b"1970-01-01", b"\xe2\x80\xa8", b"\xf0\x9f\x8e\xac", b"True", b"[]", b"{}", b"<html>", b"%s", b"\\", b"a" * 70_000,
    b"\n\n\n", b",,,,,,,,", b"\x1a", b"1_000", b"+7", b"user", b"PAR1",
)  # fmt: skip


def damage(data: bytes, draw: random.Random) -> bytes:
    """Return ``data`` with one to four things done to it."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        a, b = sorted(draw.choices(range(len(data) + 1), k=2))
        how = draw.randrange(8)
        if how == 0 and data:
            data = data[:a] + bytes([draw.randrange(256)]) + data[a + 1 :]
        elif how == 1:
            data = data[:a] + data[min(b, a + draw.choice((1, 3, 30))) :]
        elif how == 2:
            data = data[:a]
        elif how == 3:
            data = data[:b] + data[a:b] * draw.choice((1, 2, 50)) + data[b:]
        elif how == 4:
            lines = data.split(b"\n")
            draw.shuffle(lines)
            data = b"\n".join(lines)
        elif how == 5:
            cells = data.split(b"\t" if b"\t" in data else b",")
            cells[draw.randrange(len(cells))] = draw.choice(SPICES)
            data = (b"\t" if b"\t" in data else b",").join(cells)
        else:
            data = data[:a] + draw.choice(SPICES) + data[a:]
    return data


def attempt(name: str, folder: Path, seed: int) -> str:
    """Write the format with one file damaged and read it; return ``read`` or the refusal, AssertionError otherwise."""
    draw = random.Random(seed)
    files, read = FORMATS[name]
    hit = draw.choice(sorted(files))
    for file, data in files.items():
        (folder / file).write_bytes(damage(data, draw) if file == hit else data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read(folder)
    except InputError as error:
        told = str(error)
        assert "\n" not in told, told
        assert len(told) < 2_000, told[:2_000]
        assert hit in told or "set" in told, told
        return told
    check(found)
    return "read"


def check(found: Interactions) -> None:
    """Assert what holds for all interactions."""
    assert found.n_events == found.offsets[-1] > 0
    assert (np.diff(found.offsets) >= 1).all()
    assert found.items.min() >= 0
    assert found.items.max() < found.n_items
    assert np.isfinite(found.weights).all()
    assert len(set(found.user_ids.tolist())) == found.n_users
    assert len(set(found.item_ids.tolist())) == found.n_items
    assert found.report.events == found.n_events
    assert found.timestamps is None or found.timestamps.min() >= 0


