"""predict: a checkpoint and images to masks, at the images' own size."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.imaging import video
from segprep.names import unknown
from segprep.training.devices import peak_memory, pick_device
from segprep.training.inference import field_of_view as fields
from segprep.training.inference import groups, inputs, masks, output_folder, overlays, tiles
from segprep.training.inference.averaging import VERSIONS, Average
from segprep.training.inference.groups import GroupTask, NetworkFile
from segprep.training.inference.inputs import PredictionInputs
from segprep.training.inference.masks import PredictionRun
from segprep.training.inference.output_folder import Results
from segprep.training.inference.overlays import MODES, Mode
from segprep.training.inference.predictor import Options
from segprep.training.inference.tiles import Net
from segprep.types import Note, Progress, Skipped, no_progress

BATCH = 4
COUNTS = "pixels.csv"


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a run made in *out*: masks of *done* images; *pixels* by class id over all of them; what
    was *skipped*; the largest *memory* in bytes, of the GPU where one was used.
    """

    out: Path
    classes: tuple[str, ...]
    modes: tuple[Mode, ...]
    done: int
    pixels: Mapping[int, int]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Note, ...] = ()
    seconds: float = 0.0
    memory: int = 0

    @property
    def rate(self) -> float:
        """Images (or frames) per second, reading and writing included."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def ids(self) -> Path:
        """The folder of class ids, which segprep miou scores (if they were asked for)."""
        return self.out / "ids" if len(self.modes) > 1 else self.out

    def rows(self) -> list[dict[str, Any]]:
        """The classes that occur: id, name, pixels, share (of all pixels, 0..1)."""
        total = sum(self.pixels.values())
        return [
            {"id": n, "name": self.classes[n], "pixels": count, "share": count / total}
            for n, count in sorted(self.pixels.items())
        ]


def predict(
    checkpoint: str | Path,
    source: str | Path,
    out: str | Path,
    *,
    modes: Sequence[str] = ("ids",),
    split: str | None = None,
    tile: int | None = None,
    average: Average = "none",
    threshold: float | None = None,
    background: str | None = None,
    colors: str | None = None,
    legend: bool = False,
    field_of_view: str | None = None,
    device: str = "auto",
    batch: int = BATCH,
    depth: int | None = None,
    onnx: bool = False,
    count: bool = False,
    overwrite: bool = False,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> Predictions:
    """Predict the images of *source* with *checkpoint* (of segprep, or an .onnx that segprep
    exported) and write them to the folder *out*.

    *source* is an image, a folder, a dataset (or its list *split*) or a video. *modes*: ids (PNG
    with class ids, named as the image), binary (255 where not background), color, blend, cutout
    (the foreground on black; *background* names the class that is none), probability (gray: of two
    classes the second's, of more the winner's), probabilities (.npz); one kind lies in *out*,
    several lie in a folder each. Images that do not fit the memory, or are larger than *tile*, are
    predicted in overlapping tiles. *average*: over flips, rotations by quarter turns, all eight of
    both, or seven rotations. *threshold*: of two classes, the second wins above it. *colors*: a
    table of ``R G B name`` lines. *legend*: the classes' names below color and blend.
    *field_of_view*: a folder of masks, or ``truth``; outside it all is background. *batch* tiles
    run at once. *depth*: a deeply supervised UNet++ is pruned to it. *onnx*: through onnxruntime.
    *count*: also pixels.csv, per image. *jobs*: processes that predict images, each with a network.

    A file that cannot be read is skipped. Raises BadInputError if none can be; UsageError,
    TreeError, MissingExtraError; SegprepError: bad-checkpoint, no-images, write-failed …
    """
    began = monotonic()
    kinds = _modes(modes)
    _check(average, batch)
    side, chip = None if tile is None else tiles.check_tile(tile), pick_device(device)
    sources = inputs.gather(Path(source), split)
    mark = groups.digest_of(Path(checkpoint))
    file = NetworkFile(Path(checkpoint), mark, chip, onnx, tile, depth)
    net = file.load()
    palette = overlays.palette_of(colors, net.classes) if colors else overlays.VOC
    names = net.classes if legend else ()
    style = overlays.Style(overlays.background_of(net.classes, background), palette, names)
    view = _field_of_view(field_of_view, sources) if field_of_view else None
    above = _threshold(net, threshold)
    options = Options(net, side, average, above, style, batch, count, view)
    _needs_background(style, net, [mode for mode in kinds if mode in ("binary", "cutout")], view)
    film = video.film(sources.video) if sources.video is not None else None
    account = _origin(checkpoint, mark, sources, split, net)
    with output_folder.claimed(Path(out), sources, kinds, overwrite, account) as folder:
        folder.account(_planned(folder, sources), False, **account)
        notes = [*sources.notes, *_stranger(net, sources)]
        run = PredictionRun(options, folder, list(sources.skipped), notes)
        task = GroupTask(file, options, folder.out, folder.modes, jobs)
        _carried_out(run, sources, film, partial(run.images, task, jobs=jobs), progress)
        if count:
            folder.write(COUNTS, run.table())
        files = [*run.files, *([COUNTS] if count else [])]
        skipped = [item.path for item in run.skipped]
        folder.account(files, True, **account, predicted=run.done, skipped=skipped)
    outcome = run.done, run.pixels, tuple(run.skipped), tuple(run.notes)
    took = monotonic() - began
    return Predictions(folder.out, net.classes, kinds, *outcome, took, peak_memory(chip))


def _origin(
    checkpoint: str | Path, mark: str, sources: PredictionInputs, split: str | None, net: Net
) -> dict[str, Any]:
    """What predictions.json says of the *checkpoint* with the digest *mark*, and its input."""
    made_of = {"checkpoint": str(checkpoint), "digest": mark, "source": str(sources.source)}
    return {**made_of, "split": split, "classes": list(net.classes)}


def _check(average: Average, batch: int) -> None:
    """Raise UsageError (bad-option) for an unknown way to average, or an empty batch."""
    if average not in VERSIONS:
        raise UsageError("bad-option", *unknown("way to average", average, VERSIONS))
    if batch < 1:
        raise UsageError("bad-option", f"--batch {batch}", "1 or more")


def _carried_out(
    run: PredictionRun,
    sources: PredictionInputs,
    film: Any,
    predicted: Callable[..., None],
    progress: Progress[Any],
) -> None:
    """Predict all *sources*; a run that yields nothing leaves no folder behind and raises."""
    try:
        if film is not None and sources.video is not None:
            run.video(sources.video, film, progress)
        else:
            predicted(sources.images, progress=progress)
        if not run.done:
            raise _nothing(run.skipped)
    except SegprepError:
        if not run.done:
            run.folder.abandon()
        raise


def _planned(folder: Results, sources: PredictionInputs) -> list[str]:
    """All that the run may write, so that a killed one can be replaced as well."""
    names = [folder.name(image.stem, mode) for image in sources.images for mode in folder.modes]
    if sources.video is not None:
        stem, filmed = sources.video.stem, [mode for mode in folder.modes if mode in masks.FILMED]
        names += [folder.name(stem, mode, ".mp4") for mode in filmed]
        names += [folder.name(f"{stem}/*", mode) for mode in folder.modes if mode not in filmed]
    return [*names, COUNTS]


def _stranger(net: Net, sources: PredictionInputs) -> Iterator[Note]:
    """A note where the dataset has other classes than the checkpoint."""
    if (classes := sources.classes) is not None and classes.names != net.classes:
        theirs = f"the dataset has {', '.join(classes.names)}"
        yield Note("other-classes", f"the checkpoint knows {', '.join(net.classes)}; {theirs}")


def _nothing(skipped: Sequence[Skipped]) -> SegprepError:
    first = skipped[0]
    reason = f"none of {len(skipped)} inputs could be predicted: {first.path}: {first.reason}"
    return BadInputError(first.code, reason, first.hint, tuple(skipped[1:]))


def _modes(modes: Sequence[str]) -> tuple[Mode, ...]:
    modes = ["color" if mode == "colour" else mode for mode in modes]  # codespell:ignore
    if wrong := [mode for mode in modes if mode not in MODES]:
        raise UsageError("bad-option", *unknown("mode", wrong[0], MODES))
    return tuple(mode for mode in MODES if mode in modes) or ("ids",)


def _field_of_view(spec: str, sources: PredictionInputs) -> fields.FieldOfView:
    if sources.video is not None:
        raise UsageError("bad-option", "--field-of-view: a video has no masks", "leave it out")
    return fields.field_of_view(spec, sources.dataset)


def _needs_background(
    style: overlays.Style, net: Net, modes: Sequence[Mode], view: fields.FieldOfView | None
) -> None:
    """Raise UsageError (bad-option) where the background decides and there is none."""
    if style.background is None and (modes or view is not None):
        option = f"--mode {modes[0]}" if modes else "--field-of-view"
        reason = f"{option}: none of the classes {', '.join(net.classes)} is called background"
        raise UsageError("bad-option", reason, "name it with --background")


def _threshold(net: Net, threshold: float | None) -> float | None:
    if threshold is not None and len(net.classes) != 2:
        reason = f"--threshold decides between two classes; the checkpoint has {len(net.classes)}"
        raise UsageError("bad-option", reason, "leave it out: the likeliest class wins")
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError("bad-option", f"--threshold {threshold}", "a probability, 0 to 1")
    return threshold
