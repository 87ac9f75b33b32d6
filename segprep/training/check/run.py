"""One check from reading to writing: survey, control, main run, scores, suspects.

It can be interrupted and resumes from the last Epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Literal

import torch
from torch import nn

from segprep.dataset.tree import Tree
from segprep.train_config import Config, outputs
from segprep.training import checkpoints
from segprep.training.augmentation.windows import Windows
from segprep.training.check import (
    causes,
    label_causes,
    outcome,
    reading,
    report,
    score_causes,
    survey,
    verdict,
)
from segprep.training.check.budget import LEAST_CONTROL, Budget, budget_for
from segprep.training.check.loop import Epoch, Training
from segprep.training.check.outcome import Outcome
from segprep.training.check.sampling import limited
from segprep.training.check.scoring import Judge
from segprep.training.check.state import State, identity
from segprep.training.check.verdict import Counts, Reason
from segprep.training.data.lists import Selection
from segprep.training.data.pairs import ImagePair
from segprep.training.progress import Moment, Pace, Watch
from segprep.training.trainer.config_check import fit_classes
from segprep.training.trainer.network import checkpoint_of, network_of

VALIDATED = 16  # val images scored while training
# of --max-time, from the start: when control and main run have to have ended
CONTROL_SHARE, MAIN_SHARE = 0.2, 0.85
Role = Literal["control", "main"]


@dataclass(eq=False)
class CheckRun:
    """All that the parts of one check share."""

    tree: Tree
    chosen: Selection
    names: tuple[str, ...]
    seed: int
    device: str
    workers: int
    work: Path
    out: Path
    watch: Watch
    began: float
    max_time: float | None
    notes: list[str] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)

    def run(
        self, arch: str | None, steps: int | None, size: int | None, like: Config | None = None
    ) -> Outcome:
        """The whole check; its results lie in the folder of unfinished work then."""
        self.notes += self.chosen.notes
        if reasons := causes.of_numbers(len(self.chosen.train), len(self.chosen.val)):
            return self._without_training(reasons)
        classes = len(self.names)
        sample = survey.read(self.tree, self.chosen.train, classes, self.seed, self.watch)
        self.budget = budget_for(
            sample, arch=arch, steps=steps, size=size, seed=self.seed, like=like, classes=classes
        )
        reasons, limit = survey.reasons(sample), reading.affordable(sample, self.budget.view)
        del sample
        train, val = (
            self._read(name, stems, limit)
            for name, stems in (("train", self.chosen.train), ("val", self.chosen.val))
        )
        labels = label_causes.of_masks(train, val, self.names) or label_causes.of_val(val)
        reasons = [*labels, *reasons]
        if any(
            reason.level == "not_learnable" or reason.cause == "all-ignored" for reason in labels
        ):
            return self._without_training(reasons)
        for reason in reasons:  # known in seconds: a person need not wait for the training
            self.watch(Moment(f"[{reason.cause}] {reason.message}", 0, 0))
        return self._trained(reasons, train, val)

    def _read(self, name: str, stems: Sequence[str], limit: int) -> list[ImagePair]:
        why = f": more do not fit {reading.MEMORY >> 30} GiB of memory"
        stems, notes = limited(name, stems, limit, self.seed, why)
        self.notes += notes
        spec = self.budget.view
        return reading.read(self.tree, name, stems, len(self.names), spec, self.watch)

    def _trained(
        self, reasons: list[Reason], train: list[ImagePair], val: list[ImagePair]
    ) -> Outcome:
        key = identity(self.budget, self.names, self.device, [*train, *val])
        self.state = State(self.work, key)
        if self.state.resumed:
            self.notes.append("this check was interrupted and resumed from its last saved step")
        self.val = val
        self.spread = val[:: -(-len(val) // VALIDATED)]
        self.scored = (3 * len(val) + len(train)) / len(self.spread)  # in the end
        control, counts = self._train("control", reading.with_shuffled_masks(train, self.seed))
        training, own_counts = self._train("main", train)
        network = self._best(training)
        new = outcome.renew(self.work)
        final, work, others = self._judge().score(network, val, new)
        gaps, counts = self._gaps(control, training, (own_counts, counts), (work, others))
        unlearned = score_causes.unlearned(final)
        if unlearned:
            listed = ", ".join(self.names[n] for n in unlearned)
            self.notes.append(f"not learned, so not counted among the suspects: {listed}")
        suspects, seen = self._judge().rank(network, train, val, unlearned)
        pairs = {pair.stem: pair for pair in (*train, *val)}
        suspects = self._judge().told(network, suspects, pairs, self.names, self._background())
        baseline = verdict.majority(train, final)
        gaps["baseline"] = verdict.gap(final, baseline, self.seed)
        scored = verdict.compare(gaps, len(val))
        scored += score_causes.of_scores(final, seen, self.names)
        if training.step < max(self.budget.steps, LEAST_CONTROL):
            scored = verdict.cut_short(scored, training.step, self.budget.steps)
        result = replace(
            self._draft(verdict.joined(reasons, scored), len(train), self.budget),
            stems=tuple(pair.stem for pair in val),
            counts=final,
            miou=verdict.score(final),
            control_miou=verdict.score(counts),
            baseline_miou=verdict.score(baseline),
            gaps=gaps,
            history=tuple(training.history),
            control_history=tuple(control.history),
            suspects=suspects,
        )
        checkpoints.save(new / outcome.CHECKPOINT, self._checkpoint(training))
        outcome.write_scores(new, result)
        predict = partial(self._judge().predicted, network)
        report.write(new, result, pairs, predict, self._background())
        return result

    def _gaps(
        self,
        control: Training,
        training: Training,
        equal: tuple[Counts, Counts],
        work: tuple[Counts, Counts],
    ) -> tuple[dict[str, verdict.Gap], Counts]:
        """How much better the main run is than the control after *equal* steps, and its predictions
        than for other images' masks (*work*: both); and the control's counts that were compared.
        """
        own, compared = verdict.gap(*work, self.seed), verdict.gap(*equal, self.seed)
        counts = equal[1]
        close = compared.low <= 0 < own.low
        if close and control.step < training.step and not self._late("main"):
            counts = self._longer(control, counts, training.step)
            compared = verdict.gap(work[0], counts, self.seed)
        return {"control": compared, "own": own}, counts

    def _draft(self, reasons: Sequence[Reason], trained: int, budget: Budget | None) -> Outcome:
        """The result without any scores."""
        return Outcome(
            self.tree.root,
            self.out,
            verdict.worst(reasons),
            tuple(reasons),
            self.names,
            monotonic() - self.began,
            tuple(self.notes),
            budget,
            trained,
        )

    def _background(self) -> int | None:
        classes = self.tree.classes()
        return classes.background if classes else None

    def _train(self, role: Role, pairs: list[ImagePair]) -> tuple[Training, Counts]:
        """Train for *role* on *pairs*; also the (N, C, C) counts on all of val at the step where
        control and main run are compared.
        """
        budget, judge = self.budget, self._judge()
        torch.manual_seed(self.seed)
        fit_classes(budget.config, self.names)
        training = Training(
            network_of(budget.config, len(self.names)),
            Windows(pairs, budget.view, self.seed),
            budget.config,
            budget.steps,
            budget.every,
            lambda network: judge.validate(network, self.spread),
            outputs(budget.config.head, len(self.names)),
            self.device,
            self.workers,
        )
        counts = self.state.restore(role, training)
        stop = (self.state.step("control") if role == "main" else None) or budget.control
        if counts is None:
            self._advance(role, training, min(stop, budget.control))
            counts = judge.counts(self._best(training), self.val)
            self.state.save(role, training, counts)
        if role == "main" and not self._late(role):
            self._advance(role, training, budget.steps, counts)
        return training, counts

    def _longer(self, control: Training, counts: Counts, until: int) -> Counts:
        """Let the control catch up: after a quarter of the steps it is not told apart from a main
        run that does learn to use its images.
        """
        self.notes.append(
            f"the control was trained for {until} steps as well: after {self.budget.control} the"
            " comparison was not clear"
        )
        self._advance("control", control, until, counts)
        return self._judge().counts(self._best(control), self.val)

    def _judge(self) -> Judge:
        return Judge(self.tree, len(self.names), self.budget, self.device, self.watch)

    def _best(self, training: Training) -> nn.Module:
        """The best network so far: single states early in a run scatter too much to be compared."""
        return self._checkpoint(training).network().to(self.device)

    def _checkpoint(self, training: Training) -> checkpoints.Checkpoint:
        weights = training.best or training.average.state_dict()
        return checkpoint_of(self.budget.config, self.names, self.budget.view, weights)

    def _advance(
        self, role: Role, training: Training, until: int, counts: Counts | None = None
    ) -> None:
        last = monotonic()
        for record in training.run(until):
            seconds, last = monotonic() - last, monotonic()
            if isinstance(record, Epoch):
                self.pace.validations.append(seconds)
                self.state.save(role, training, counts)
                if role == "main" and record.best:
                    checkpoints.save(self.work / outcome.CHECKPOINT, self._checkpoint(training))
                continue
            self.pace.steps.append(seconds)
            self._tell(role, training.step)
            if self._late(role) and training.step < until:
                training.cut()
                self.notes.append(
                    f"--max-time cut the {role} run after {training.step} of {until} steps"
                )
                self.state.save(role, training, counts)
                return

    def _late(self, role: Role) -> bool:
        share = CONTROL_SHARE if role == "control" else MAIN_SHARE
        return self.max_time is not None and monotonic() - self.began > self.max_time * share

    def _tell(self, role: Role, number: int) -> None:
        """Say how far it is and how long it will take."""
        budget = self.budget
        done, total = number + budget.control * (role == "main"), budget.control + budget.steps
        left = self.pace.left(total - done, (total - done) / budget.every + self.scored)
        if left is not None and self.max_time is not None:
            left = max(0.0, min(left, self.began + self.max_time - monotonic()))
        self.watch(
            Moment("training the control" if role == "control" else "training", done, total, left)
        )

    def _without_training(self, reasons: list[Reason]) -> Outcome:
        result = self._draft(reasons, len(self.chosen.train), None)
        new = outcome.renew(self.work)
        outcome.write_scores(new, result)
        report.write(new, result, {}, None)
        return result
