"""What is scored, and how: folders, list of stems, classes, ignore index and policy, from options
as people give them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segprep.dataset import classes as class_lists
from segprep.dataset import tree
from segprep.errors import UsageError
from segprep.evaluation import compat as tools
from segprep.evaluation import pairs
from segprep.metrics.confusion import MOST, check_ignore, size_of
from segprep.metrics.scores import Absent, Policy
from segprep.types import IGNORE, OBJECT_IGNORE, Classes

AUTO = "auto"
PREDICTIONS, SCORED = "runs/train-check/predictions", "runs/train-check/scored.txt"


@dataclass(frozen=True, slots=True)
class Place:
    """Where truth and predictions lie, and which stems are wanted."""

    pred: Path
    truth: Path
    stems: tuple[str, ...] | None
    source: str
    tree: tree.Tree | None
    objects: Path | None = None

    @staticmethod
    def find(
        pred: str | Path | None,
        dataset: Path,
        truth: str | Path | None,
        split: str | None,
        stems: "str | Path | Sequence[str] | None",
        objects: bool = False,
    ) -> "Place":
        """*objects*: the truth must have instance masks. Raises UsageError, TreeError."""
        found = Place._find(pred, dataset, truth, split, stems)
        if not objects:
            return found
        own = (
            found.tree is not None
            and found.truth.resolve() == (found.tree.root / tree.MASKS).resolve()
        )
        folder = found.truth.parent / tree.OBJECTS
        if not own or not folder.is_dir():
            raise UsageError(
                "no-objects",
                f"{folder} is no folder of instance masks ({tree.OBJECTS} of a dataset)",
                "leave --objects out, or convert again with --objects",
            )
        return replace(found, objects=folder)

    @staticmethod
    def _find(
        pred: str | Path | None,
        dataset: Path,
        truth: str | Path | None,
        split: str | None,
        stems: "str | Path | Sequence[str] | None",
    ) -> "Place":
        if split is not None and stems is not None:
            raise UsageError(
                "bad-option", "--split and --list both name the stems", "give one of them"
            )
        if truth is not None:
            if split is not None:
                raise UsageError(
                    "bad-option",
                    "--split names a list of a dataset, and --truth is a plain folder",
                    "use --list FILE",
                )
            if pred is None:
                raise UsageError(
                    "no-predictions",
                    "--truth needs the folder of predictions",
                    "segprep miou PRED --truth DIR",
                )
            home = next(
                (tree.Tree(one) for one in (Path(truth), Path(truth).parent) if tree.is_tree(one)),
                None,
            )
            folder = (
                home.root / tree.MASKS
                if home is not None and home.root == Path(truth)
                else Path(truth)
            )
            return Place(Path(pred), folder, _listed(stems), str(stems), home)
        home = tree.find(dataset)
        wanted, source = (
            _listed(stems),
            str(stems) if isinstance(stems, str | Path) else "the list given",
        )
        if split is not None:
            lists = home.lists()
            if split not in lists:
                known = ", ".join(lists) or "none; make them with segprep split"
                raise UsageError(
                    "bad-option", f"{home.root} has no list {split}", f"its lists: {known}"
                )
            wanted, source = lists[split], f"the list {split}"
        if pred is None:
            pred = home.root / PREDICTIONS
            if not pred.is_dir():
                raise UsageError(
                    "no-predictions", f"{home.root} holds no predictions of a train-check ({PREDICTIONS})",
                    "give the folder of predictions: segprep miou PRED, or make some with segprep train-check",
                )  # fmt: skip
            if wanted is None:
                wanted, source = pairs.listed(home.root / SCORED), SCORED
        return Place(Path(pred), home.root / tree.MASKS, wanted, source, home)


def _listed(stems: "str | Path | Sequence[str] | None") -> tuple[str, ...] | None:
    if stems is None:
        return None
    return pairs.listed(Path(stems)) if isinstance(stems, str | Path) else tuple(stems)


def class_names(
    classes: "str | int | Sequence[str] | Classes | None", place: Place
) -> tuple[str, ...]:
    """The class names in the order of their ids. Raises UsageError."""
    if classes is None:
        found = place.tree.classes() if place.tree is not None else None
        if found is None:
            raise UsageError(
                "classes-needed",
                f"{place.truth}: the classes are not known",
                "give their number, names or file: --classes 21",
            )
        return found.names
    if isinstance(classes, Classes):
        return classes.names
    if isinstance(classes, str):
        classes = int(classes) if classes.strip().isdecimal() else class_lists.parse_list(classes)
    if isinstance(classes, int):
        return tuple(map(str, range(size_of(classes))))
    names = tuple(name for name in classes if name != class_lists.IGNORED)
    size_of(names)
    if len(set(names)) < len(names):
        raise UsageError(
            "bad-classes", "the class list names a class more than once", "remove the repetition"
        )
    return names


def ignore_index(given: int | str | None, size: int) -> int | None:
    """The truth value of ignored pixels; "auto" is 255, or 65535 beyond 255 classes, or none beyond
    that. Raises UsageError.
    """
    if given == AUTO:
        return IGNORE if size <= IGNORE else OBJECT_IGNORE if size < MOST else None
    if given is None or given == "none":
        return None
    try:
        value = int(given)
    except ValueError as error:
        raise UsageError(
            "bad-option",
            f"--ignore-index {given} is no number",
            "for example --ignore-index 255, or none",
        ) from error
    check_ignore(value, size)
    return value


def policy_of(
    names: Sequence[str], absent: Absent, exclude: Sequence[str | int], compat: str | None
) -> tuple[Policy, tools.Tool | None]:
    """The policy of the options, or of the tool *compat* with the classes to exclude added.

    Raises UsageError.
    """
    if absent not in ("nan", "zero", "one"):
        raise UsageError("bad-option", f"--absent {absent}", "give nan, zero or one")
    chosen = tuple(sorted({_class_id(one, names) for one in exclude}))
    if len(chosen) == len(names):
        raise UsageError("bad-option", "--exclude-class leaves no class to average", "keep one")
    if compat is None:
        return Policy(absent, chosen), None
    tool = tools.tool(compat)
    if absent not in ("nan", tool.policy.absent):
        raise UsageError(
            "bad-option",
            f"--compat {compat} has its own rule for absent classes ({tool.policy.absent})",
            "leave --absent out",
        )
    excluded = tuple(sorted({*tool.policy.excluded, *chosen}))
    void = tuple(sorted({*tool.policy.void, *(chosen if compat == "cityscapes" else ())}))
    return replace(tool.policy, excluded=excluded, void=void), tool


def _class_id(one: str | int, names: Sequence[str]) -> int:
    if str(one) in names:
        return names.index(str(one))
    if str(one).isdecimal() and int(one) < len(names):
        return int(one)
    raise UsageError(
        "bad-option",
        f"--exclude-class {one}: no such class",
        f"a name or an id from 0 to {len(names) - 1}; ignored pixels are --ignore-index",
    )
