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
from segprep.evaluation.truth_values import stated_names
from segprep.metrics.confusion import MOST, check_ignore, size_of
from segprep.metrics.scores import Absent, Policy
from segprep.names import unknown
from segprep.types import IGNORE, OBJECT_IGNORE, Classes

AUTO = "auto"
PREDICTIONS, SCORED = "runs/train-check/predictions", "runs/train-check/scored.txt"


@dataclass(frozen=True, slots=True)
class EvaluationInputs:
    """Where truth and predictions lie, and which stems are scored."""

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
    ) -> "EvaluationInputs":
        """*objects*: the truth must have instance masks. Raises UsageError, TreeError."""
        subject = EvaluationInputs._find(pred, dataset, truth, split, stems)
        if not objects:
            return subject
        own = (
            subject.tree is not None
            and subject.truth.resolve() == (subject.tree.root / tree.MASKS).resolve()
        )
        folder = subject.truth.parent / tree.OBJECTS
        if not own or not folder.is_dir():
            raise UsageError(
                "no-objects",
                f"{folder} is not a folder of instance masks ({tree.OBJECTS} of a dataset)",
                "leave --objects out, or convert again with --objects",
            )
        return replace(subject, objects=folder)

    @staticmethod
    def _find(
        pred: str | Path | None,
        dataset: Path,
        truth: str | Path | None,
        split: str | None,
        stems: "str | Path | Sequence[str] | None",
    ) -> "EvaluationInputs":
        if split is not None and stems is not None:
            raise UsageError(
                "bad-option", "--split and --list both name the stems", "give one of them"
            )
        if truth is not None:
            return EvaluationInputs._plain(pred, Path(truth), split, stems)
        home = tree.find(dataset)
        chosen = _listed(stems)
        source = str(stems) if isinstance(stems, str | Path) else "the list given"
        if split is not None:
            lists = home.lists()
            if split not in lists:
                message, hint = unknown("list", split, lists)
                more = "" if lists else "; make lists with segprep split"
                raise UsageError("bad-option", f"{home.root}: {message}", f"{hint}{more}")
            chosen, source = lists[split], f"the list {split}"
        if pred is None:
            pred = home.root / PREDICTIONS
            if not pred.is_dir():
                raise UsageError(
                    "no-predictions",
                    f"{home.root} holds no predictions of a train-check ({PREDICTIONS})",
                    "give the folder of predictions: segprep miou PRED, or make some with segprep"
                    " train-check",
                )
            if chosen is None:
                chosen, source = pairs.listed(home.root / SCORED), SCORED
        return EvaluationInputs(Path(pred), home.root / tree.MASKS, chosen, source, home)

    @staticmethod
    def _plain(
        pred: str | Path | None,
        truth: Path,
        split: str | None,
        stems: "str | Path | Sequence[str] | None",
    ) -> "EvaluationInputs":
        """A plain folder of truth masks; where it belongs to a tree, that names the classes."""
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
            (tree.Tree(folder) for folder in (truth, truth.parent) if tree.is_tree(folder)),
            None,
        )
        folder = home.root / tree.MASKS if home is not None and home.root == truth else truth
        return EvaluationInputs(Path(pred), folder, _listed(stems), str(stems), home)


def _listed(stems: "str | Path | Sequence[str] | None") -> tuple[str, ...] | None:
    if stems is None:
        return None
    return pairs.listed(Path(stems)) if isinstance(stems, str | Path) else tuple(stems)


def class_names(
    classes: "str | int | Sequence[str] | Classes | None",
    subject: EvaluationInputs,
    truth_ids: str | None = None,
) -> tuple[str, ...]:
    """The class names in the order of their ids; where nothing names them, those of *truth_ids*.
    Raises UsageError.
    """
    listed = subject.tree.classes() if subject.tree is not None else None
    numbered = isinstance(classes, int) or (
        isinstance(classes, str) and classes.strip().isdecimal()
    )
    if truth_ids is not None and (numbered or (classes is None and listed is None)):
        names = stated_names(truth_ids)
        if not any(name.isdecimal() for name in names):
            size_of(names)
            return names
    if classes is None:
        if listed is None:
            raise UsageError(
                "classes-needed",
                f"{subject.truth}: the classes are not known",
                "give their number, names or file: --classes 21; or what the values of the truth"
                " mean: --truth-ids 0=background,255=cell",
            )
        return listed.names
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


def ignore_index(spec: int | str | None, size: int) -> int | None:
    """The truth value of ignored pixels; "auto" is 255, or 65535 beyond 255 classes, or none beyond
    that. Raises UsageError.
    """
    if spec == AUTO:
        return IGNORE if size <= IGNORE else OBJECT_IGNORE if size < MOST else None
    if spec is None or spec == "none":
        return None
    try:
        value = int(spec)
    except ValueError as error:
        raise UsageError(
            "bad-option",
            f"--ignore-index {spec} is not a number",
            "for example --ignore-index 255, or none",
        ) from error
    check_ignore(value, size)
    return value


def policy_of(
    names: Sequence[str], absent: Absent, exclude: Sequence[str | int], compat: str | None
) -> tuple[Policy, tools.ScoreDefinition | None]:
    """The policy of the options, or of the tool *compat* with the classes to exclude added.

    Raises UsageError.
    """
    if absent not in ("nan", "zero", "one"):
        raise UsageError("bad-option", f"--absent {absent}", "give nan, zero or one")
    chosen = tuple(sorted({_class_id(name, names) for name in exclude}))
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


def _class_id(name: str | int, names: Sequence[str]) -> int:
    if str(name) in names:
        return names.index(str(name))
    if str(name).isdecimal() and int(name) < len(names):
        return int(name)
    message, hint = unknown("class", str(name), names)
    raise UsageError(
        "bad-option",
        f"--exclude-class: {message}",
        f"{hint}; or an id from 0 to {len(names) - 1}; ignored pixels are --ignore-index",
    )
