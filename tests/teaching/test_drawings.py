"""Every drawing: a Plot with a text that stands in, legible in print and in grey, nothing over anything else."""

from __future__ import annotations

import inspect
import itertools
import re

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.backends.backend_agg import FigureCanvasAgg

import recsys_tutorial as rt
from recsys_tutorial import drawings, plots
from recsys_tutorial.data import splits
from recsys_tutorial.teaching.drawings import base, model, protocols
from recsys_tutorial.teaching.drawings.house import FLOORS

TITLES = ["Pet Sematary (1989)", "Texas Chainsaw Massacre, The (1974)", "Sunshine (1999)",
          "Matrix Reloaded, The (2003)", "28 Days Later (2002)", "Dark Knight, The (2008)"]  # fmt: skip
CODES = np.array([[0, 1, 2], [0, 1, 2], [0, 3, 1], [1, 0, 0], [1, 2, 3], [1, 2, 1]])
CALLS = {
    "autoencoder": (TITLES,), "denoising": (TITLES,), "masked_item": (TITLES,), "next_item": (TITLES,),
    "contrastive": (TITLES,), "item2vec": (TITLES, "Toy Story (1995)"), "composition": (2078, 512, 2078),
    "encoder_decoder": (2078, 32), "strategies": (), "held_out_users": (), "leave_one_out": (), "random_holdout": (),
    "temporal": (), "overlap": (TITLES, [True, False, True, True, False, True]), "codes_tree": (CODES, TITLES),
    "house": (),
}  # fmt: skip
DRAWINGS = sorted(
    name
    for name, function in inspect.getmembers(drawings, inspect.isfunction)
    if function.__module__.startswith(drawings.__name__) and inspect.signature(function).return_annotation == "Plot"
)


@pytest.fixture(scope="module")
def made():
    return {name: getattr(drawings, name)(*arguments) for name, arguments in CALLS.items()}


def texts(plot):
    """Return each text with its box in inches."""
    renderer = FigureCanvasAgg(plot.figure).get_renderer()
    scale = plot.figure.dpi_scale_trans.inverted()
    return [(text, text.get_window_extent(renderer).transformed(scale)) for text in plot.figure.axes[0].texts]


def test_every_drawing_is_tested_and_offered():
    assert sorted(CALLS) == DRAWINGS == sorted(drawings.__all__)
    assert len(DRAWINGS) >= 14


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_has_a_title_and_a_text_with_a_number_and_is_the_same_again(made, name):
    plot = made[name]
    assert isinstance(plot, plots.Plot)
    assert plot.alt.startswith("Drawing: ")
    assert re.search(r"\d", plot.alt)
    assert 60 < len(plot.alt) < 900
    assert plot.figure.axes[0].texts[0].get_fontweight() == "bold"
    assert plot.png() == getattr(drawings, name)(*CALLS[name]).png()
    data, metadata = plot._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == plot.alt
    assert len(data["image/png"]) < 120_000


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_fits_a_page_and_its_letters_are_read_there(made, name):
    width, height = made[name].figure.get_size_inches()
    assert width <= 7.2
    assert height <= 9.5
    for text, box in texts(made[name]):
        assert text.get_fontsize() >= base.SMALLEST
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0, text.get_text()


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_letters_stand_on_others(made, name):
    for (one, box), (other, there) in itertools.combinations(texts(made[name]), 2):
        apart = box.x1 <= there.x0 or there.x1 <= box.x0 or box.y1 <= there.y0 or there.y1 <= box.y0
        assert apart, (one.get_text(), other.get_text())


def grey(colour):
    return float(np.dot(colors.to_rgb(colour), [0.299, 0.587, 0.114]))


def test_fills_are_told_apart_in_grey_and_their_letters_read():
    for one, other in itertools.combinations(base.FILLS, 2):
        assert one.hatch != other.hatch or abs(grey(one.face) - grey(other.face)) > 0.1, (one, other)
    assert all(abs(grey(fill.face) - grey(fill.ink)) > 0.5 for fill in base.FILLS)


def test_the_grids_are_what_the_package_splits():
    toy = protocols._toy()
    plain, refit = (protocols.roles(splits.leave_one_out(toy, refit=refit)) for refit in (False, True))
    last = {person: max(t for who, t in plain if who == person) for person in range(6)}
    assert all(plain[person, time] == (False, False, True) for person, time in last.items())
    moved = [cell for cell in plain if plain[cell] != refit[cell]]
    assert len(moved) == 6
    assert {plain[cell] for cell in moved} == {(False, True, False)}
    assert {refit[cell] for cell in moved} == {(True, True, False)}
    held = protocols.roles(splits.held_out_users(toy, 0.34, 0.34, seed=0))
    tested = {person for (person, _), role in held.items() if role[2]}
    assert not any(role[0] for (person, _), role in held.items() if person in tested)
    cut = protocols.roles(splits.temporal(toy, 0.25))
    assert max(t for (_, t), role in cut.items() if role[0]) < min(t for (_, t), role in cut.items() if role[2])


def test_a_strategy_moves_what_is_drawn():
    films = rt.load_dataset("movielens-small").take_users(range(80))
    task = rt.new_shelf(films)
    f = rt.pretrain("denoising", task.behaviour, epochs=1, dim=8, seed=0)
    before = f.feature_extractor.state_dict()["item_vectors"]
    assert set(model.STRATEGY_PARTS) == set(rt.STRATEGIES)
    for name in ("probe", "frozen", "layerwise", "full", "scratch"):
        how = {} if name == "probe" else {"epochs": 2, "validation": 0}
        after = rt.finetune(f, task, name, seed=0, **how).feature_extractor.state_dict()["item_vectors"]
        stays = model.STRATEGY_PARTS[name][0][0] is None
        assert bool((after == before).all()) == stays, name


def test_texts_say_what_is_drawn(made):
    assert "an unseen share of 33%" in made["overlap"].alt
    assert "3 are hidden (The Texas Chainsaw Massacre, The Matrix Reloaded, The Dark Knight)" in made["denoising"].alt
    assert "tree of 3 levels over 6 items, 2 branches at the first. 0: Pet Sematary" in made["codes_tree"].alt
    assert f"{len(FLOORS)} floors" in made["house"].alt


def test_a_tree_takes_codes_of_any_depth_and_says_what_it_cannot_draw():
    for levels in (1, 2, 5):
        assert f"tree of {levels} levels over 6 items" in drawings.codes_tree(CODES[:, [0] * levels], TITLES).alt
    for wrong in (CODES[0], CODES.astype(float), CODES[:, :0]):
        with pytest.raises(rt.InputError, match="give whole numbers"):
            drawings.codes_tree(wrong, TITLES)
    with pytest.raises(rt.InputError, match="6 rows of codes and 5 titles"):
        drawings.codes_tree(CODES, TITLES[:5])
    with pytest.raises(rt.InputError, match="25 rows of codes"):
        drawings.codes_tree(np.zeros((25, 2), int), ["a"] * 25)


def test_a_row_is_short_enough_to_be_read():
    with pytest.raises(rt.InputError, match="3 titles: a row that can be read has 4 to 7"):
        drawings.denoising(TITLES[:3])
    with pytest.raises(rt.InputError, match="6 titles and 2 marks"):
        drawings.overlap(TITLES, [True, False])


def test_short_puts_the_article_in_front_and_cuts_at_a_word():
    assert base.short("Dark Knight, The (2008)") == "The Dark Knight"
    assert base.short("American in Paris, An (1951)") == "An American in Paris"
    assert base.short("A title that is much longer than a box can hold") == "A title that is much longer …"
