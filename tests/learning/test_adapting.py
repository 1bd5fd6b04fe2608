"""A pretrained model taken to a new service: which part speaks louder is chosen inside its known users."""

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.learning.adapting import adapt


def groups(n_users: int, seed: int, n_groups: int = 2, n_items: int = 60) -> rt.Interactions:
    rng = np.random.default_rng(seed)
    rows = [
        (1000 * seed + user, n_items // n_groups * (user % n_groups) + int(item))
        for user in range(n_users) for item in rng.permutation(n_items // n_groups)[:12]
    ]  # fmt: skip
    return rt.from_events(*zip(*rows, strict=True), name=f"groups {seed}")


@pytest.fixture(scope="module")
def pretrained() -> rt.PretrainedModel:
    return rt.pretrain("denoising", groups(200, 0), dim=8, epochs=60, learning_rate=0.01, loss="multinomial")


def test_what_the_source_knows_serves_a_handful_of_users(pretrained):
    known, new = groups(40, 1).take_users(np.arange(6)), groups(40, 2)
    adapted = adapt(pretrained, known)
    own = adapted.score(new)
    for user, row in enumerate(own):
        mine = np.arange(60) // 30 == user % 2
        row[new.matrix[[user]].indices] = np.nan
        assert np.nanmean(row[mine]) > np.nanmean(row[~mine])


def test_more_users_of_its_own_weigh_more_where_the_source_is_wrong(pretrained):
    """A target with other groups than the source's: its own users have to speak louder than the source."""
    target = groups(150, 3, n_groups=3)
    assert adapt(pretrained, target).weight >= 1


def test_the_model_itself_is_left_alone_and_the_seed_decides(pretrained):
    known, before = groups(30, 4), pretrained.score(groups(40, 5))
    first, second = (adapt(pretrained, known, seed=1) for _ in range(2))
    assert (first.weight, first.logits) == (second.weight, second.logits)
    np.testing.assert_array_equal(pretrained.score(groups(40, 5)), before)


def test_bad_input(pretrained):
    with pytest.raises(rt.InputError, match="3 users: adapting needs at least 5"):
        adapt(pretrained, groups(30, 4).take_users(np.arange(3)))
    bare = rt.PretrainedModel.compose(pretrained.feature_extractor, None, catalogue=pretrained.catalogue)
    with pytest.raises(rt.InputError, match="has no head that scores items"):
        adapt(bare, groups(30, 4))
