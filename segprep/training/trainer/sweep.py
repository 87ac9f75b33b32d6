"""``segprep train --sweep lr=1e-4,1e-3``: one training per value of a setting, or of each
combination of several; epochs before the stop and the score against it.
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from segprep.dataset import tree
from segprep.dataset.tree import RUNS
from segprep.errors import SegprepError, UsageError
from segprep.reports.sweeps import FINISHED, SweepRow, Swept, write
from segprep.train_config import Config
from segprep.train_settings import check_key, merged, plain
from segprep.training.progress import Moment, Watch, unwatched
from segprep.training.trainer import run_folder, windows
from segprep.training.trainer.config_check import settled
from segprep.training.trainer.result import Run
from segprep.training.trainer.trainer import train

FAILED = ("loss-nan", "out-of-memory")  # what one value may come to without ending the sweep


def values(spec: str) -> tuple[str, list[Any]]:
    """The setting and its values in ``lr=1e-4,1e-3``; ``options.base=8,16`` is the network's.

    Raises UsageError: unknown-setting, bad-option.
    """
    name, equals, listed = spec.partition("=")
    name = name.strip().replace("-", "_")
    words = [word.strip() for word in listed.split(",") if word.strip()]
    if not equals or len(words) < 2:
        raise UsageError(
            "bad-option", f"--sweep {spec}", "a setting and at least two values: lr=1e-4,1e-3"
        )
    if len(set(words)) < len(words):
        raise UsageError("bad-option", f"--sweep {spec} names a value twice", "give each once")
    if name.startswith("options."):
        return name, [_word(word) for word in words]
    check_key(name, "--sweep")
    hint = get_type_hints(Config)[name]
    if hint not in (int, float, str, bool) and get_origin(hint) is not Literal:
        reason = f"--sweep {name}: this setting is a list itself"
        raise UsageError("bad-option", reason, "sweep a setting that is one number or word")
    return name, [word if hint is str or word in get_args(hint) else _word(word) for word in words]


def _word(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return word


def sweep(
    dataset: str | Path,
    spec: str | Sequence[str],
    config: str | Path | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    classes: str | None = None,
    watch: Watch = unwatched,
    **settings: Any,
) -> Swept:
    """Train on *dataset* once per value in *spec* (``lr=1e-4,1e-3``), or of each combination where
    there are several, with all else as :func:`.trainer.train` has it.

    Writes to *out*, by default runs/sweep-NAME in the dataset (NAME-NAME for several): a folder per
    value, sweep.csv and sweep.png. Called again it resumes: finished trainings with the same
    settings are taken as they are. One whose loss is NaN or infinite or that does not fit the
    memory is a row, not the end. Raises UsageError before the first training if any value is wrong;
    else what train raises.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        reason = "--sweep runs in one process"
        hint = "sweep without torchrun, then train the best on all of them"
        raise UsageError("bad-option", reason, hint)
    swept = [values(axis) for axis in ([spec] if isinstance(spec, str) else spec)]
    names, listed = tuple(name for name, _ in swept), list(product(*(some for _, some in swept)))
    if len(set(names)) < len(names):
        raise UsageError("bad-option", "--sweep names a setting twice", "give all its values once")
    base = merged(config, settings)
    given = [_with(base, names, chosen) for chosen in listed]
    configs = [settled(choice) for choice in given]
    for resolved in configs:
        windows.chain(resolved)
    dataset_tree = tree.find(Path(dataset))
    folder = Path(out or dataset_tree.root / RUNS / "-".join(["sweep", *names]))
    rows = list[SweepRow]()
    for chosen, resolved, choice in zip(listed, configs, given, strict=True):
        title = ",".join(f"{name}={value}" for name, value in zip(names, chosen, strict=True))

        def named(moment: Moment, text: str = f"{title}: ") -> None:
            watch(Moment(text + moment.what, moment.done, moment.total, moment.left))

        run = partial(train, dataset_tree.root, classes=classes, watch=named, **choice)
        target = folder / title.replace("/", "_")
        rows.append(_row(target, chosen, resolved, run, overwrite=overwrite))
        write(folder, names, configs[0].monitor, rows)
    return Swept(names, configs[0].monitor, folder, tuple(rows))


def _with(base: Mapping[str, Any], names: Sequence[str], chosen: Sequence[Any]) -> dict[str, Any]:
    given = dict(base)
    for name, value in zip(names, chosen, strict=True):
        if name.startswith("options."):
            option = name.removeprefix("options.")
            given["options"] = {**given.get("options", {}), option: value}
        else:
            given[name] = value
    return given


def _row(
    out: Path, chosen: tuple[Any, ...], config: Config, run: Callable[..., Run], *, overwrite: bool
) -> SweepRow:
    """The training in *out*: finished before with this *config*, or carried out now."""
    previous = run_folder.described(out)
    exists = previous.get("kind") == run_folder.KIND and not overwrite
    if exists and previous.get("stopped") in FINISHED and previous.get("config") == plain(config):
        result = previous
    else:
        unfinished = exists and previous.get("stopped") == "unfinished"
        resume = unfinished and (out / run_folder.LAST).is_file()
        try:
            result = run(out=out, resume=resume, overwrite=overwrite).document()
        except SegprepError as error:
            if error.code not in FAILED:
                raise
            epochs = int(run_folder.described(out).get("epochs", 0))
            return SweepRow(chosen, epochs, 0, math.nan, math.nan, error.code, math.nan, out)
    miou = result["miou"] if result["miou"] is not None else math.nan
    epochs, best, stopped = result["epochs"], result["best_epoch"], result["stopped"]
    return SweepRow(
        chosen, epochs, best, float(result["best"]), miou, stopped, result["seconds"], out
    )
