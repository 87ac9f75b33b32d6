"""One check from reading to writing: survey, control, main run, scores, suspects.

It can be interrupted and goes on from the last Epoch.
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
from segprep.training.check.budget import Plan, plan
from segprep.training.check.loop import Epoch, Schedule, Step, Training
from segprep.training.check.outcome import Outcome
from segprep.training.check.scoring import Judge
from segprep.training.check.verdict import Counts, Reason
from segprep.training.data.lists import Selection
from segprep.training.data.pairs import Pair, nearest, raise_bad, read_all, read_pair
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
        made = plan(sample, arch=arch, steps=steps, size=size, seed=self.seed)
        reasons = causes.of_images(sample) + causes.of_alignment(alignment.measure(sample))
        limit = self._affordable(sample, made)
        del sample
        train, val = (
            self._read(name, stems, made, limit)
            for name, stems in (("train", self.chosen.train), ("val", self.chosen.val))
        )
        if constant := causes.of_masks(train) or causes.of_val(val):
            return self._without_training(constant + reasons)
        self._resume(made, train + val)
        control, control_counts = self._train("control", made, self._shuffled(train), val, train)
        main, main_counts = self._train("main", made, None, val, train)
        return self._conclude(
            made, reasons, train, val, (main, main_counts), (control, control_counts)
        )

    def _survey(self) -> list[Pair]:
        """Some pairs of the train list at their own size."""
        bad, found = [], []
        for stem in sorted(shuffled_by(self.chosen.train, self.seed)[:SURVEYED]):
            try:
                found.append(read_pair(self.place, stem, len(self.names)))
            except SourceError as error:
                bad.append(error)
        raise_bad(bad)
        return found

    def _affordable(self, sample: Sequence[Pair], made: Plan) -> int:
        """How many images of the size of *sample* a list may have to fit the memory a check takes."""
        each = [
            np.prod(made.view.worked(*one.size)) * (3 * one.image.itemsize + 1) for one in sample
        ]
        return max(FEWEST_HELD, int(MEMORY // float(np.mean(each))))

    def _read(self, name: str, stems: Sequence[str], made: Plan, limit: int) -> list[Pair]:
        if len(stems) > limit:
            self.notes.append(
                f"{limit} of the {len(stems)} images of {name} were drawn with seed {self.seed}:"
                f" more do not fit {MEMORY >> 30} GiB of memory"
            )
            stems = natural(shuffled_by(stems, self.seed)[:limit])
        found = []
        for pair in read_all(self.place, stems, len(self.names), made.view):
            found.append(pair)
            self.watch(Moment(f"reading {name}", len(found), len(stems)))
        return found

    def _shuffled(self, train: Sequence[Pair]) -> list[Pair]:
        """*train* with every mask on another image, in a ring of random order, stretched to fit."""
        order = np.random.default_rng((self.seed, 1)).permutation(len(train))
        ring = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
        return [
            Pair(one.stem, one.image, nearest(train[ring[n]].mask, *one.mask.shape), one.size)
            for n, one in enumerate(train)
        ]

    def _train(
        self,
        role: Role,
        made: Plan,
        other: list[Pair] | None,
        val: Sequence[Pair],
        train: list[Pair],
    ) -> tuple[Training, Counts]:
        """Train for *role*; also the (N, C, C) counts on all of *val* at the step where control and
        main run are compared.
        """
        judge, spread = self._judge(made), val[:: -(-len(val) // VALIDATED)]
        torch.manual_seed(self.seed)
        network = models.build(made.arch, 3, len(self.names), **made.options)
        schedule = Schedule(made.steps, made.batch, made.rate, made.every)
        windows = Windows(other if other is not None else train, made.view, self.seed)
        training = Training(
            network,
            windows,
            schedule,
            lambda one: judge.validate(one, spread),
            self.device,
            self.workers,
        )
        counts = self._begun(role, training)
        stop = (
            self.state["control"]["step"]
            if role == "main" and "control" in self.state
            else made.control
        )
        if counts is None:
            self._advance(role, made, training, min(stop, made.control))
            counts = judge.counts(self._best(training, made), val)
            self._save(role, training, counts)
        if role == "main" and not self._late(role):
            self._advance(role, made, training, made.steps, counts)
        return training, counts

    def _longer(
        self, made: Plan, control: Training, counts: Counts, until: int, val: Sequence[Pair]
    ) -> Counts:
        """Let the control catch up: after a quarter of the steps it is not told apart from a main
        run that does learn to use its images.
        """
        self.notes.append(
            f"the control was trained for {until} steps as well: after {made.control} the"
            " comparison was not clear"
        )
        self._advance("control", made, control, until, counts)
        return self._judge(made).counts(self._best(control, made), val)

    def _judge(self, made: Plan) -> Judge:
        return Judge(self.place, len(self.names), made, self.device, self.watch)

    def _best(self, training: Training, made: Plan) -> nn.Module:
        """The best network so far: single states early in a run scatter too much to be compared."""
        return self._checkpoint(training, made).network().to(self.device)

    def _checkpoint(self, training: Training, made: Plan) -> checkpoints.Checkpoint:
        return checkpoints.Checkpoint(
            made.arch,
            made.options,
            self.names,
            made.view,
            training.best or training.average.state_dict(),
        )

    def _advance(
        self, role: Role, made: Plan, training: Training, until: int, counts: Counts | None = None
    ) -> None:
        for record in training.run(until):
            if isinstance(record, Epoch):
                self._save(role, training, counts)
                if role == "main" and record.best:
                    checkpoints.save(
                        self.work / outcome.CHECKPOINT, self._checkpoint(training, made)
                    )
            else:
                self._pace(role, made, record)
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

    def _pace(self, role: Role, made: Plan, step: Step) -> None:
        """Say how long it will take: the median of recent steps, times what is to come; scoring
        takes about a sixth more.
        """
        self.pace.append(step.seconds)
        done = step.number + (made.control if role == "main" else 0)
        left = (
            float(np.median(self.pace[-50:])) * (made.control + made.steps - done) * 7 / 6
            if len(self.pace) >= 3
            else None
        )
        if left is not None and self.max_time is not None:
            left = min(left, self.began + self.max_time - monotonic())
        self.watch(
            Moment(
                "training the control" if role == "control" else "training",
                done,
                made.control + made.steps,
                left,
            )
        )

    def _resume(self, made: Plan, pairs: Sequence[Pair]) -> None:
        """Take up the state of an interrupted check, if there is one of the same plan, images and
        masks.
        """
        key = blake3(json.dumps([asdict(made), self.names, self.device], sort_keys=True).encode())
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
                found = checkpoints.read(path)
            except SegprepError:
                found = {}  # a file that a kill cut short is no loss: begin anew
            if found.get("identity") == identity:
                self.state = found
                self.notes.append("this check was interrupted and went on from its last saved step")
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
        made: Plan,
        reasons: list[Reason],
        train: list[Pair],
        val: list[Pair],
        main: tuple[Training, Counts],
        control: tuple[Training, Counts],
    ) -> Outcome:
        training, classes = main[0], len(self.names)
        network = self._best(training, made)
        new = outcome.renew(self.work)
        judge = self._judge(made)
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
            control = control[0], self._longer(made, *control, training.step, val)
            compared = verdict.gap(work, control[1], self.seed)
        suspects, seen = judge.rank(network, train, val)
        pixels = sum(np.bincount(one.mask.reshape(-1), minlength=256)[:classes] for one in train)
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
        found = Outcome(
            self.place.root, self.out, verdict.worst(reasons), tuple(reasons), self.names, monotonic() - self.began, tuple(self.notes), made, len(train),
            tuple(one.stem for one in val), final, float(verdict.miou(final.sum(0))), float(verdict.miou(control[1].sum(0))),
            float(verdict.miou(baseline.sum(0))), gaps, tuple(training.history), tuple(control[0].history), suspects,
        )  # fmt: skip
        checkpoints.save(new / outcome.CHECKPOINT, self._checkpoint(training, made))
        outcome.write_scores(new, found)
        report.write(
            new,
            found,
            {one.stem: one for one in (*train, *val)},
            lambda one: judge.predicted(network, one),
            self._background(),
        )
        return found

    def _background(self) -> int | None:
        known = self.place.classes()
        return known.background if known else None

    def _without_training(self, reasons: list[Reason]) -> Outcome:
        found = Outcome(
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
        outcome.write_scores(new, found)
        report.write(new, found, {}, None)
        return found


def shuffled_by(elements: Sequence[Any], seed: int) -> list[Any]:
    """*elements* in the random order of *seed*."""
    return shuffled(elements, Random(seed))
