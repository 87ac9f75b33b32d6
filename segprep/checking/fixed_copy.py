"""A repaired copy of a dataset: a new folder, which appears whole or not at all.

PARENT/OUT/                    the files of the dataset, some of them repaired; no runs/
PARENT/.OUT.segprep-fix/       while a run is at work, or after it was killed
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from segprep.checking.fixing import Repair
from segprep.checks._common.survey import Survey
from segprep.dataset.staging import lock
from segprep.dataset.tree import RUNS
from segprep.errors import TreeError, UsageError
from segprep.files import copy_staged, read_below, real_folders, remove_folder, walk, write_error
from segprep.outputs import OutputFolder, force, link_refused, swap


def refuse(survey: Survey, out: Path) -> None:
    """Raise UsageError or TreeError if *out* overlaps the dataset or holds anything."""
    target, root = out.resolve(), survey.root.resolve()
    if survey.kind == "annotations":
        raise UsageError(
            "bad-option",
            f"{root} holds annotations, which are not repaired",
            "fix them in the annotation tool (segprep annotate), or convert them first",
        )
    if target == root or target.is_relative_to(root) or root.is_relative_to(target):
        raise UsageError(
            "output-overlaps-source",
            f"the output {target} and the dataset {root} overlap",
            "choose an output beside the dataset",
        )
    if out.is_symlink():
        raise link_refused(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise TreeError("output-occupied", f"{out} exists", "choose another output")


def write(survey: Survey, repairs: tuple[Repair, ...], out: Path) -> None:
    """Write all files of *survey* to *out*, with the *repairs* done.

    Raises SourceError where a file cannot be read, SegprepError where none can be written.
    """
    target = out.resolve()
    hidden = target.with_name(f".{target.name}.segprep-fix")
    stage = hidden / "new"
    if hidden.is_symlink():
        raise link_refused(hidden)
    try:
        hidden.mkdir(parents=True, exist_ok=True)
        with lock(hidden):
            remove_folder(stage)  # of a killed run
            try:
                stage.mkdir()
                _fill(survey, repairs, OutputFolder(stage))
                force(stage)
                if target.exists():
                    target.rmdir()  # it is empty
                swap(stage, target, hidden / "old")
            finally:
                remove_folder(stage)
    except OSError as error:
        raise write_error(Path(error.filename or out), error) from error
    finally:
        with suppress(OSError):  # another run may be at work in it
            hidden.rmdir()


def _fill(survey: Survey, repairs: tuple[Repair, ...], home: OutputFolder) -> None:
    changed = {repair.path: repair for repair in repairs}
    roots = real_folders(survey.root)
    for name in _names(survey):
        origin = (survey.root / name).absolute()
        repair = changed.get(name)
        if repair is None:
            copy_staged(origin, roots, home.place(name))
        else:
            content = repair.content() if repair.content else read_below(origin, roots)
            home.write(repair.target, content)


def _names(survey: Survey) -> Iterator[str]:
    """The files of the dataset, relative to its root: of a tree all but its runs, of two folders
    the images and masks.
    """
    if survey.kind == "tree":
        names = (survey.name(path) for path in walk(survey.root))
        yield from (name for name in names if name.split("/")[0] != RUNS)
        return
    for pair in survey.pairs:
        yield from (survey.name(path) for path in (pair.image, pair.mask, *pair.rivals) if path)
