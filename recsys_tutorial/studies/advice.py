"""``advise``: is pretraining worth it on these two files, by how much, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data.interactions import Interactions
from ..data.readers import read_interactions
from ..tasks import Task, read_labels
from .contenders import PRETRAINED
from .inside import FOLDS, compare_inside, place, rivals
from .map import MAP_HEADLINE, unseen_share
from .worth import LIKELY, YES, Worth

DIM = 128  # half the studies' width: as good to within .002 (docs/choices.md), in a third of the time
# The closed form that is judged, fixed in advance; which command gives it stands beside it.
LINEAR_HEADLINE = {
    "attribute": "counting + probe", "new-shelf": "counting + neighbours", "target-behaviour": "ease + no labels",
}  # fmt: skip
OBJECTIVES = {PRETRAINED: "denoising", "ease": "linear"}  # what contenders are called where it is pretrained
LEVEL = 0.95  # two contenders may say yes, each wrongly one time in forty at most: together one in twenty


@dataclass(frozen=True)
class Advice:
    """What two files say about pretraining; printed, it is one page.

    Args:
        network: how the network does.
        linear: how the closed form does.
        users: in the behaviour.
        unseen: of what a fold's users did, the share on items that no labelled user outside it has.
        names: of the two files, as a command has them.
        read: how the labels were read.
        program: how the commands to run next are started.
    """

    network: Worth
    linear: Worth
    users: int
    unseen: float
    names: tuple[str, str]
    read: str
    program: str = "recsys-tutorial"

    @property
    def chosen(self) -> Worth | None:
        """The one to take, None where pretraining is not likely to help: the network only where it beats the linear."""
        for verdict in (YES, LIKELY):
            worth = [one for one in (self.linear, self.network) if one.verdict == verdict]
            if len(worth) == 2:
                return self.network if self.network.gain(self.linear.model).low > 0 else self.linear
            if worth:
                return worth[0]
        return None

    @property
    def worth_it(self) -> bool:
        """Whether pretraining was shown to help."""
        return self.best.verdict == YES

    def records(self) -> list[dict[str, Any]]:
        """Return all that was measured as tidy records; the last holds the verdict and the command."""
        labels = len(self.network.comparison.task)
        facts = {"users": self.users, "labelled": labels, "unlabelled": self.users - labels}
        constant = {"task": self.network.comparison.task.name, "labels": labels}
        found = [{**constant, "metric": name, "value": count} for name, count in facts.items()]
        found.append({**constant, "metric": "unseen_share", "value": self.unseen})
        seen: list[str] = []
        for one in (self.network, self.linear):
            rows = [row for row in one.records() if "verdict" not in row and str(sorted(row.items())) not in seen]
            seen += [str(sorted(row.items())) for row in rows]
            found += rows
        verdict = {**constant, "verdict": self.best.verdict, "model": self.best.model,
                   "text": self.answer(), "command": " && ".join(self.commands())}  # fmt: skip
        return [*found, verdict]

    @property
    def best(self) -> Worth:
        """The one to take, or to speak of where none is worth it: that with the higher gain."""
        return self.chosen or max((self.linear, self.network), key=lambda one: one.gain(one.rival).value)

    def answer(self) -> str:
        """Say whether pretraining is worth it, and how many labels it saves."""
        said = self.best.sentence()
        answer = f"Worth it? {self.best.verdict.capitalize()}. {said}"
        if self.chosen is None:
            return answer
        few, many, bound = self.best.labels_needed
        return f"{answer} With it, {bound or 'about'} {few:,} labels do what {many:,} do without."

    def commands(self) -> list[str]:
        """Return what to run next."""
        behaviour, labels = self.names
        if self.chosen is None:
            return [f"{self.program} advise {behaviour} {labels}"]
        first, _, strategy = self.best.model.partition(" + ")
        kind = self.network.comparison.task.name
        suited = f" --for {kind}" if first == PRETRAINED else ""
        return [
            f"{self.program} pretrain {behaviour} --objective {OBJECTIVES.get(first, first)}{suited} --out pretrained",
            f"{self.program} recommend pretrained --users all --out lists.csv" if strategy == "no labels" else
            f"{self.program} finetune pretrained {labels} --strategy {strategy} --out finetuned",
        ]  # fmt: skip

    def __str__(self) -> str:
        comparison = self.network.comparison
        task = comparison.task
        next_step = "Next:" if self.chosen is not None else "Next, with more labels:"
        return "\n".join([
            f"{self.users:,} users, {len(task):,} of them labelled, {self.users - len(task):,} not. {self.read}",
            f"{self.unseen:.0%} of what labelled users did is on items that no labelled user outside their fold has: a "
            "model without pretraining cannot read it.",
            "",
            f"{task.metric.upper()} inside the labelled users, in {FOLDS} folds, with 95 % "
            "intervals:",
            comparison.told(),
            "",
            self.answer(),
            "",
            next_step,
            *(f"  {line}" for line in self.commands()),
        ])  # fmt: skip


def advise(
    behaviour: Interactions | str | Path,
    labels: Task | str | Path,
    *,
    names: tuple[str, str] | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | None = None,
    program: str = "recsys-tutorial",
) -> Advice:
    """Return whether pretraining on ``behaviour`` is worth it for ``labels``, judged inside the labelled users.

    All contenders see the same folds. What is pretrained has not seen what the users of the test fold did
    (:func:`recsys_tutorial.studies.inside.compare_inside`), nor, in a ranking, what any labelled user wants.

    Args:
        behaviour: of everybody, or the path of a file for :func:`recsys_tutorial.read_interactions`.
        labels: a task, or the path of a file for :func:`recsys_tutorial.read_labels`.
        names: what the command to run next has in their place, options for them included; their paths when None.
        seed: draws the folds and all weights.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.
        program: how the commands to run next are started.

    Raises:
        InputError: a file that cannot be read, too few labelled users to judge by.
    """
    names = names or (shlex.quote(_name(behaviour)), shlex.quote(_name(labels)))
    behaviour = behaviour if isinstance(behaviour, Interactions) else read_interactions(behaviour)
    task = labels if isinstance(labels, Task) else read_labels(labels)
    task = task.on(behaviour)
    where, (without, linear) = place(task), rivals(task)
    comparison = compare_inside(task, behaviour, seed, dim=DIM, device=device)
    headlines = MAP_HEADLINE[where], LINEAR_HEADLINE[where] if LINEAR_HEADLINE[where] in linear else linear[-1]
    comparison.run([*without, *linear, *headlines], progress)
    network, closed = (Worth(comparison, name, without, linear, LEVEL) for name in headlines)
    sides = [comparison.sides(comparison.folds[0], number) for number in range(FOLDS)]
    unseen = np.mean([unseen_share(comparison.task.take(train), comparison.task.take(test)) for train, test in sides])
    read = "" if task.report is None else f"{task.report}."
    return Advice(network, closed, behaviour.n_users, float(unseen), names, read, program)


def _name(given: object) -> str:
    """Return what a command calls it."""
    return str(given) if isinstance(given, str | Path) else getattr(given, "name", None) or "LABELS"
