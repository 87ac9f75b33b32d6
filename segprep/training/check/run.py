"""One check from reading to writing: survey, control, main run, scores, suspects.

It can be interrupted and resumes from the last Epoch.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Literal

import numpy as np
import torch
from blake3 import blake3
from torch import nn

from segprep.dataset.tree import Tree
from segprep.errors import SegprepError, SourceError
from segprep.splitting.partition import natural, shuffled
from segprep.training import checkpoints, models
from segprep.training.augmentation.windows import Windows
from segprep.training.check import alignment, causes, outcome, report, verdict
from segprep.training.check.budget import Budget, budget_for
from segprep.training.check.loop import Epoch, Schedule, Step, Training
from segprep.training.check.outcome import Outcome
from segprep.training.check.scoring import Judge
from segprep.training.check.verdict import Counts, Reason
from segprep.training.data.lists import Selection
from segprep.training.data.pairs import LabeledImage, nearest, raise_bad, read_all, read_pair
from segprep.training.progress import Moment, Watch

MEMORY, FEWEST_HELD = (
    2 << 30,
    8,
)  # bytes that the images of one list may take; images that are read all the same
SURVEYED, VALIDATED = 48, 16  # images for plan and alignment; val images scored while training
CONTROL_SHARE, MAIN_SHARE = (
    0.2,
    0.85,
)  # of --max-time, from the start: when control and main run have to have ended
STATE = "state.pt"
Role = Literal["control", "main"]


@dataclass(eq=False)
class Check:
    """All that the parts of one check share."""

    place: Tree
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
    pace: list[float] = field(default_factory=list)  # seconds of every step so far
    state: dict[str, Any] = field(default_factory=dict)

    def run(self, arch: str, steps: int | None, size: int | None) -> Outcome:
        """The whole check; its results lie in the folder of unfinished work then."""
        self.notes += self.chosen.notes
        if reasons := causes.of_numbers(len(self.chosen.train), len(self.chosen.val)):
            return self._without_training(reasons)
        sample = self._survey()
        budget = budget_for(sample, arch=arch, steps=steps, size=size, seed=self.seed)
        reasons = causes.of_images(sample) + causes.of_alignment(alignment.measure(sample))
        limit = self._affordable(sample, budget)
        del sample
        train, val = (
            self._read(name, stems, budget, limit)
            for name, stems in (("train", self.chosen.train), ("val", self.chosen.val))
        )
        if constant := causes.of_masks(train) or causes.of_val(val):
            return self._without_training(constant + reasons)
        self._resume(budget, train + val)
        control, control_counts = self._train("control", budget, self._shuffled(train), val, train)
        main, main_counts = self._train("main", budget, None, val, train)
        return self._conclude(
            budget, reasons, train, val, (main, main_counts), (control, control_counts)
        )

    def _survey(self) -> list[LabeledImage]:
        """Some pairs of the train list at their own size."""
        bad, pairs = [], []
        for stem in sorted(shuffled_by(self.chosen.train, self.seed)[:SURVEYED]):
            try:
                pairs.append(read_pair(self.place, stem, len(self.names)))
            except SourceError as error:
                bad.append(error)
        raise_bad(bad)
        return pairs

    def _affordable(self, sample: Sequence[LabeledImage], budget: Budget) -> int:
        """How many images of the size of *sample* fit the memory that a check takes."""
        each = [
            np.prod(budget.view.worked(*pair.size)) * (3 * pair.image.itemsize + 1)
            for pair in sample
        ]
        return max(FEWEST_HELD, int(MEMORY // float(np.mean(each))))

    def _read(
        self, name: str, stems: Sequence[str], budget: Budget, limit: int
    ) -> list[LabeledImage]:
        if len(stems) > limit:
            self.notes.append(
                f"{limit} of the {len(stems)} images of {name} were drawn with seed {self.seed}:"
                f" more do not fit {MEMORY >> 30} GiB of memory"
            )
            stems = natural(shuffled_by(stems, self.seed)[:limit])
        pairs = []
        for pair in read_all(self.place, stems, len(self.names), budget.view):
            pairs.append(pair)
            self.watch(Moment(f"reading {name}", len(pairs), len(stems)))
        return pairs

    def _shuffled(self, train: Sequence[LabeledImage]) -> list[LabeledImage]:
        """*train* with every mask on another image, in a ring of random order, stretched to fit."""
        order = np.random.default_rng((self.seed, 1)).permutation(len(train))
        ring = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
        return [
            LabeledImage(
                pair.stem, pair.image, nearest(train[ring[n]].mask, *pair.mask.shape), pair.size
            )
            for n, pair in enumerate(train)
        ]

    def _train(
        self,
        role: Role,
        budget: Budget,
        other: list[LabeledImage] | None,
        val: Sequence[LabeledImage],
        train: list[LabeledImage],
    ) -> tuple[Training, Counts]:
        """Train for *role*; also the (N, C, C) counts on all of *val* at the step where control and
        main run are compared.
        """
        judge, spread = self._judge(budget), val[:: -(-len(val) // VALIDATED)]
        torch.manual_seed(self.seed)
        network = models.build(budget.arch, 3, len(self.names), **budget.options)
        schedule = Schedule(budget.steps, budget.batch, budget.rate, budget.every)
        windows = Windows(other if other is not None else train, budget.view, self.seed)
        training = Training(
            network,
            windows,
            schedule,
            lambda network: judge.validate(network, spread),
            self.device,
            self.workers,
        )
        counts = self._begun(role, training)
        stop = (
            self.state["control"]["step"]
            if role == "main" and "control" in self.state
            else budget.control
        )
        if counts is None:
            self._advance(role, budget, training, min(stop, budget.control))
            counts = judge.counts(self._best(training, budget), val)
            self._save(role, training, counts)
        if role == "main" and not self._late(role):
            self._advance(role, budget, training, budget.steps, counts)
        return training, counts

    def _longer(
        self,
        budget: Budget,
        control: Training,
        counts: Counts,
        until: int,
        val: Sequence[LabeledImage],
    ) -> Counts:
        """Let the control catch up: after a quarter of the steps it is not told apart from a main
        run that does learn to use its images.
        """
        self.notes.append(
            f"the control was trained for {until} steps as well: after {budget.control} the"
            " comparison was not clear"
        )
        self._advance("control", budget, control, until, counts)
        return self._judge(budget).counts(self._best(control, budget), val)

    def _judge(self, budget: Budget) -> Judge:
        return Judge(self.place, len(self.names), budget, self.device, self.watch)

    def _best(self, training: Training, budget: Budget) -> nn.Module:
        """The best network so far: single states early in a run scatter too much to be compared."""
        return self._checkpoint(training, budget).network().to(self.device)

    def _checkpoint(self, training: Training, budget: Budget) -> checkpoints.Checkpoint:
        return checkpoints.Checkpoint(
            budget.arch,
            budget.options,
            self.names,
            budget.view,
            training.best or training.average.state_dict(),
        )

    def _advance(
        self,
        role: Role,
        budget: Budget,
        training: Training,
        until: int,
        counts: Counts | None = None,
    ) -> None:
        for record in training.run(until):
            if isinstance(record, Epoch):
                self._save(role, training, counts)
                if role == "main" and record.best:
                    checkpoints.save(
                        self.work / outcome.CHECKPOINT, self._checkpoint(training, budget)
                    )
            else:
                self._pace(role, budget, record)
            if self._late(role) and isinstance(record, Step) and record.number < until:
                training.cut()
                self.notes.append(
                    f"--max-time cut the {role} run after {record.number} of {until} steps"
                )
                self._save(role, training, counts)
                return

    def _late(self, role: Role) -> bool:
        share = CONTROL_SHARE if role == "control" else MAIN_SHARE
        return self.max_time is not None and monotonic() - self.began > self.max_time * share

    def _pace(self, role: Role, budget: Budget, step: Step) -> None:
        """Say how long it will take: the median of recent steps, times what is to come; scoring
        takes about a sixth more.
        """
        self.pace.append(step.seconds)
        done = step.number + (budget.control if role == "main" else 0)
        left = (
            float(np.median(self.pace[-50:])) * (budget.control + budget.steps - done) * 7 / 6
            if len(self.pace) >= 3
            else None
        )
        if left is not None and self.max_time is not None:
            left = min(left, self.began + self.max_time - monotonic())
        self.watch(
            Moment(
                "training the control" if role == "control" else "training",
                done,
                budget.control + budget.steps,
                left,
            )
        )

    def _resume(self, budget: Budget, pairs: Sequence[LabeledImage]) -> None:
        """Take up the state of an interrupted check, if there is one of the same plan, images and
        masks.
        """
        key = blake3(json.dumps([asdict(budget), self.names, self.device], sort_keys=True).encode())
        for pair in pairs:
            key.update(
                pair.stem.encode()
                + np.ascontiguousarray(pair.image).tobytes()
                + pair.mask.tobytes()
            )
        identity = key.hexdigest(20)
        path = self.work / STATE
        if path.is_file():
            try:
                state = checkpoints.read(path)
            except SegprepError:
                state = {}  # a file that a kill cut short is no loss: start again
            if state.get("identity") == identity:
                self.state = state
                self.notes.append("this check was interrupted and resumed from its last saved step")
                return
        self.state = {"identity": identity}

    def _begun(self, role: Role, training: Training) -> Counts | None:
        if role not in self.state:
            return None
        kept = self.state[role]
        try:
            training.restore(kept)
            return kept["counts"].numpy() if kept["counts"] is not None else None
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise SegprepError(
                "bad-checkpoint",
                f"{self.work / STATE} is damaged: {error!r}",
                "remove that file and give the same command again",
            ) from error

    def _save(self, role: Role, training: Training, counts: Counts | None) -> None:
        self.state[role] = training.state() | {
            "counts": None if counts is None else torch.from_numpy(counts)
        }
        checkpoints.write(self.work / STATE, self.state)

    def _conclude(
        self,
        budget: Budget,
        reasons: list[Reason],
        train: list[LabeledImage],
        val: list[LabeledImage],
        main: tuple[Training, Counts],
        control: tuple[Training, Counts],
    ) -> Outcome:
        training, classes = main[0], len(self.names)
        network = self._best(training, budget)
        new = outcome.renew(self.work)
        judge = self._judge(budget)
        final, work, others = judge.score(network, val, new)
        own, compared = (
            verdict.gap(work, others, self.seed),
            verdict.gap(main[1], control[1], self.seed),
        )
        if (
            compared.low <= 0 < own.low
            and control[0].step < training.step
            and not self._late("main")
        ):
            control = control[0], self._longer(budget, *control, training.step, val)
            compared = verdict.gap(work, control[1], self.seed)
        suspects, seen = judge.rank(network, train, val)
        pixels = sum(np.bincount(pair.mask.reshape(-1), minlength=256)[:classes] for pair in train)
        baseline = np.zeros_like(final)
        baseline[:, :, int(np.argmax(pixels))] = final.sum(2)
        gaps = {
            "control": compared,
            "baseline": verdict.gap(final, baseline, self.seed),
            "own": own,
        }
        reasons = [
            *reasons,
            *verdict.compare(gaps["control"], gaps["baseline"], gaps["own"], len(val)),
            *causes.of_scores(final, seen, self.names),
        ]
        result = Outcome(
            self.place.root,
            self.out,
            verdict.worst(reasons),
            tuple(reasons),
            self.names,
            monotonic() - self.began,
            tuple(self.notes),
            budget,
            len(train),
            tuple(pair.stem for pair in val),
            final,
            float(verdict.miou(final.sum(0))),
            float(verdict.miou(control[1].sum(0))),
            float(verdict.miou(baseline.sum(0))),
            gaps,
            tuple(training.history),
            tuple(control[0].history),
            suspects,
        )
        checkpoints.save(new / outcome.CHECKPOINT, self._checkpoint(training, budget))
        outcome.write_scores(new, result)
        report.write(
            new,
            result,
            {pair.stem: pair for pair in (*train, *val)},
            lambda pair: judge.predicted(network, pair),
            self._background(),
        )
        return result

    def _background(self) -> int | None:
        classes = self.place.classes()
        return classes.background if classes else None

    def _without_training(self, reasons: list[Reason]) -> Outcome:
        result = Outcome(
            self.place.root,
            self.out,
            verdict.worst(reasons),
            tuple(reasons),
            self.names,
            monotonic() - self.began,
            tuple(self.notes),
            trained=len(self.chosen.train),
        )
        new = outcome.renew(self.work)
        outcome.write_scores(new, result)
        report.write(new, result, {}, None)
        return result


def shuffled_by(elements: Sequence[Any], seed: int) -> list[Any]:
    """*elements* in the random order of *seed*."""
    return shuffled(elements, Random(seed))
