"""What hypothesis draws: events as columns, and ids as they stand in real files."""

from __future__ import annotations

from hypothesis import strategies as st

ODD_IDS = ("007", "7", "1e5", "1.0", "-1", "NA", "null", "nan", "True", "a,b", 'say "hi"', "ß", "日本", "Σ∘", "x y")
SMALL_IDS = st.integers(0, 6)
SECONDS = st.integers(1_000_000_000, 2_000_000_000)


@st.composite
def columns(draw, ids=SMALL_IDS, unique=True, times=SECONDS, max_size=25):
    """Draw user, item, weight and timestamp, one entry per event; ``unique`` leaves out repeated pairs."""
    pair = st.tuples(ids, ids)
    pairs = draw(st.lists(pair, min_size=1, max_size=max_size, unique=unique))
    n = len(pairs)
    return {
        "user": [user for user, _ in pairs],
        "item": [item for _, item in pairs],
        "weight": draw(st.lists(st.integers(1, 10).map(lambda w: w / 2), min_size=n, max_size=n)),
        "timestamp": draw(st.lists(times, min_size=n, max_size=n)),
    }


def text_ids():
    """Draw ids as they stand in files: numbers, things that look like numbers, any letters, commas and quotes."""
    letters = st.characters(exclude_categories=("Cs", "Cc"))  # no half characters, no control characters
    word = st.text(letters, min_size=1, max_size=5).map(str.strip).filter(bool)
    return st.sampled_from(ODD_IDS) | st.integers(0, 30).map(str) | word
