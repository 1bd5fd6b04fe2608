"""Was pretraining worth it? What follows from a comparison inside labelled users, in numbers and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..metrics.intervals import Interval
from .inside import FOLDS, Comparison
from .statistics import needed

SHARES = (0.25, 0.5, 1.0)  # of the labelled users, to see how many pretraining saves
YES, LIKELY, UNSHOWN, NO = "yes", "likely", "not shown", "no"
LIKELY_LEVEL = 0.6  # of the interval that has to be above 0 where help is likely, if not shown: wrong one time in five


@dataclass(frozen=True)
class Worth:
    """How one contender that pretrains does against the best that do without, and against the best linear one.

    Args:
        comparison: all of them, judged.
        model: the contender, fixed before anything was looked at.
        without: contenders that need no pretraining.
        linear: those that pretrain in closed form.
        level: of the intervals.
    """

    comparison: Comparison
    model: str
    without: Sequence[str]
    linear: Sequence[str]
    level: float = 0.95

    def gain(self, rival: str, level: float | None = None) -> Interval:
        """Return by how much the model is better than ``rival``."""
        judged = self.comparison.judged
        return judged[self.model].minus(judged[rival], self.comparison.task, level or self.level)

    @property
    def rival(self) -> str:
        """The best without pretraining."""
        return self.comparison.best(self.without)

    @property
    def best_linear(self) -> str | None:
        """The best linear pretraining but the model itself."""
        others = [name for name in self.linear if name != self.model]
        return self.comparison.best(others) if others else None

    @property
    def verdict(self) -> str:
        """``yes``: above every rival without pretraining. ``no``: below the best. ``likely``, ``not shown``: neither.

        Above every one needs no correction for their number (an intersection-union test).
        """
        if all(self.gain(rival).low > 0 for rival in self.without):
            return YES
        if self.gain(self.rival).high < 0:
            return NO
        return LIKELY if all(self.gain(rival, LIKELY_LEVEL).low > 0 for rival in self.without) else UNSHOWN

    @cached_property
    def labels_needed(self) -> tuple[int, int, str]:
        """How many labels the model needs for what the rival reaches with how many.

        The last is ``at most`` where it needs no more than the fewest that were tried, else empty.
        """
        task = self.comparison.task
        sign = -1 if task.lower_is_better else 1
        whole = round(len(task) * (1 - 1 / FOLDS))
        curve = [sign * self.comparison.judge(self.model, share).value for share in SHARES[:-1]]
        curve.append(sign * self.comparison.judged[self.model].value)
        counts = whole * np.array(SHARES)
        found = needed(sign * self.comparison.judged[self.rival].value, np.array(curve), counts)
        return round(found), whole, "at most" if np.isclose(found, counts[0]) else ""

    def records(self) -> list[dict[str, Any]]:
        """Return the contenders, the gains and the verdict as tidy records."""
        found, task = self.comparison.records(), self.comparison.task
        constant = {"model": self.model, "task": task.name, "labels": len(task), "metric": task.metric}
        for name, rival in (("gain_without_pretraining", self.rival), ("gain_over_linear", self.best_linear)):
            if rival is not None:
                ends = dict(zip(("value", "ci_low", "ci_high"), self.gain(rival), strict=True))
                found.append({**constant, "comparison": name, "rival": rival, **ends})
        return [*found, {**constant, "verdict": self.verdict, "text": self.sentence()}]

    def sentence(self) -> str:
        """Say whether pretraining was worth it, and whether it had to be this one."""
        gain, metric = self.gain(self.rival), self.comparison.task.metric.upper()
        what = {
            YES: f"Pretraining was worth it here: {self.model} is better than every rival without it, the best of them "
                 f"{self.rival}, by {signed(gain)} {metric}",
            NO: f"Pretraining was not worth it here: {self.rival}, without it, is better than {self.model} by "
                f"{signed(Interval(-gain.value, -gain.high, -gain.low))} {metric}",
            LIKELY: f"Pretraining was likely worth it here, though these labels are too few to show it: {self.model} "
                    f"differs from {self.rival}, the best without it, by {signed(gain)} {metric}",
            UNSHOWN: f"Pretraining was not shown to be worth it here: {self.model} differs from {self.rival}, the best "
                     f"without it, by {signed(gain)} {metric}, which chance alone can do",
        }[self.verdict]  # fmt: skip
        if self.best_linear is None:
            return what + "."
        linear = self.gain(self.best_linear)
        how = "better" if linear.low > 0 else "worse" if linear.high < 0 else "not shown to be better"
        return f"{what}. It is {how} than the best linear pretraining, {self.best_linear} ({signed(linear)})."


def signed(gain: Interval) -> str:
    """Write a difference with its interval."""
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
