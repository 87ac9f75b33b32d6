"""``segprep check [DATASET]``."""

import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from segprep.types import Finding

from . import formatting, options, output
from .engines import on_engines
from .progress import bar

if TYPE_CHECKING:
    from segprep.checking import Report

HELP = """Find what is wrong with a dataset: broken files, wrong pairs, labels, splits, duplicates.

DATASET is a VOC-style tree, or a folder of images and masks. The exit code is 1 if any finding is
an error. Settings: segprep.toml ([check]) or pyproject.toml ([tool.segprep.check]).

\b
Examples:
    segprep check out/
    segprep check --images photos/ --masks labels/ --classes background,cell
    segprep check out/ --select SEG2,SEG3 --ignore SEG313
    segprep check out/ --reader cv2 --reader nnunet     will these readers misread the files?
    segprep check out/ --format sarif > check.sarif
    segprep check out/ --report check.html              a page with pictures, opens offline
    segprep check --explain SEG302                      what a code means; all lists the codes
    segprep check out/ --fix                            plan safe repairs; --yes carries them out
    segprep check out/ --fix --out fixed/               a repaired copy; out/ stays as it is
    segprep check --undo out/runs/fix-1                 undo them
"""
FEW = 3
_TREE = re.compile(r"\bsegprep (annotate|check|split|stats|view)(?= |$)")
_NEW_TREE = re.compile(r"\bsegprep (json2mask|remap)(?: DATASET OUT)?(?= --)")
READERS = ("pil", "cv2", "skimage", "torchvision", "mmseg", "nnunet", "ultralytics", "keras")


def _codes(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(code.strip() for value in values for code in value.split(",") if code.strip())


def _run(
    dataset: Path,
    explain: str | None,
    quiet: bool,
    fix: bool,
    yes: bool,
    out: Path | None,
    undo: Path | None,
    **given: Any,
) -> None:
    from segprep import checking
    from segprep.checking import settings

    if out and not fix:
        raise click.UsageError("--out goes with --fix")
    if explain:
        _explain(explain)
        return
    if undo:
        from segprep.checking import undoing

        output.line(f"{undoing.undo(undo)} files were restored")
        return
    if fix:
        _fix(dataset, yes, out, quiet, given)
        return
    as_json, form = given.pop("as_json"), given.pop("form")
    no_progress, verbose = given.pop("no_progress"), given.pop("verbose")
    page, overwrite = given.pop("page"), given.pop("overwrite")
    defaults = settings.nearest(given["masks"] or dataset)
    given["select"] = _codes(given["select"]) or defaults.select
    given["ignore"] = _codes(given["ignore"]) or defaults.ignore
    given["reader"] = given["reader"] or defaults.reader
    if unknown := set(given["reader"]) - set(get_args(checking.ReaderName)):
        raise click.UsageError(f"unknown reader {min(unknown)!r}; one of {', '.join(READERS)}")
    report = checking.check(dataset, **given, progress=bar(not (quiet or no_progress)))
    report = _addressed(report, dataset, given)
    if page:
        report.write(page, overwrite=overwrite)
    _show(report, "json" if as_json else form, quiet, verbose)
    if page and not (quiet or as_json):
        output.aside(f"report: {page}")
    if report.counts["error"]:
        click.get_current_context().exit(1)


def _fix(dataset: Path, yes: bool, out: Path | None, quiet: bool, given: dict[str, Any]) -> None:
    """The plan of repairs; with *yes* they are done, in a copy with *out*."""
    from segprep import checking

    places = {name: given[name] for name in ("images", "masks", "classes", "jobs")}
    shown = bar(not (quiet or given["no_progress"]))
    write = yes or out is not None
    done = checking.fix(dataset, **places, out=out, dry_run=not write, progress=shown)
    plain = [
        {name: getattr(repair, name) for name in ("code", "path", "target", "text")}
        for repair in done.repairs
    ]
    if given["as_json"]:
        undo = str(done.record) if done.record else None
        written = {"out": str(out)} if out else {}
        output.document({"repairs": plain, "undo": undo, "left": done.left, **written})
        return
    for repair in done.repairs:
        name = repair.path if repair.target == repair.path else f"{repair.path} -> {repair.target}"
        output.line(f"{repair.code}: {name}: {repair.text}")
    if out:
        output.line(f"{len(plain)} files repaired in the copy {out}; the dataset is unchanged")
    elif done.record:
        output.line(
            f"{len(plain)} files repaired; to undo this: segprep check --undo {done.record}"
        )
    else:
        hint = (
            "add --yes to carry them out, or --out NEW for a copy"
            if plain
            else "nothing can be repaired safely"
        )
        output.line(f"{len(plain)} repairs planned; {hint}")
    if done.left:
        output.line(
            f"{done.left} more files need repair, but segprep wrote them: convert again or use"
            " segprep remap (segprep check says which)"
        )


def _explain(code: str) -> None:
    from segprep import checks

    if code == "all":
        rows = [(c, r.RULE.severity, checks.title(r)) for c, r in checks.rules().items()]
        output.table(f"{len(rows)} rules", ("code", "severity", "finds"), rows)
    else:
        output.line(checks.explain(code).split("\n")[0])
        for line in checks.explain(code).split("\n")[1:]:
            output.line(line)


def _addressed(report: "Report", dataset: Path, given: Mapping[str, Any]) -> "Report":
    """*report* with the commands of its hints given the dataset, so that they work when pasted."""
    folders = [
        f"--{name} {shlex.quote(str(given[name]))}" for name in ("images", "masks") if given[name]
    ]
    address = " ".join(folders) or shlex.quote(str(dataset))
    findings = (
        replace(finding, hint=_addressed_hint(finding.hint, address)) for finding in report.findings
    )
    return replace(report, findings=tuple(findings))


def _addressed_hint(hint: str, address: str) -> str:
    if address.startswith("--"):
        return re.sub(r"\bsegprep check(?= |$)", lambda _: f"segprep check {address}", hint)
    hint = _TREE.sub(lambda match: f"{match[0]} {address}", hint)
    return _NEW_TREE.sub(lambda match: f"segprep {match[1]} {address} OUT", hint)


def _show(report: "Report", form: str, quiet: bool, verbose: bool) -> None:
    findings = report.findings
    if form == "json":
        output.document(
            {
                "dataset": str(report.root),
                "samples": report.samples,
                "counts": report.counts,
                "findings": [asdict(finding) for finding in findings],
            }
        )
    elif form == "sarif":
        from segprep import __version__, checks
        from segprep.reports import sarif

        rules = {
            code: (checks.title(check), (check.__doc__ or "").strip())
            for code, check in checks.rules().items()
            if code in report.rules
        }
        output.document(sarif.document(findings, rules, __version__))
    elif form == "github":
        from segprep.reports import sarif

        for line in sarif.workflow_commands(findings):
            output.line(line)
    else:
        _text(report, quiet, verbose)


def _text(report: "Report", quiet: bool, verbose: bool) -> None:
    """Findings by code, the first few of each; errors only with *quiet*."""
    by_code: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if not quiet or finding.severity == "error":
            by_code[finding.code, finding.severity].append(finding)
    for group in by_code.values():
        for finding in group if verbose else group[:FEW]:
            name = finding.path or finding.stem
            head = f"{finding.severity} [{finding.code}]"
            output.line(
                f"{head}: {name}: {finding.message}" if name else f"{head}: {finding.message}"
            )
        if len(group) > FEW and not verbose:
            output.line(f"  … and {len(group) - FEW} more like it (--verbose lists them)")
        if group[0].hint:
            output.line(f"  -> {group[0].hint}")
    if not quiet:
        counts = ", ".join(
            f"{count} {name}{'s' if count != 1 and name != 'info' else ''}"
            for name, count in report.counts.items()
            if count
        )
        output.line(
            f"{report.root}: {report.samples} samples, {len(report.rules)} rules:"
            f" {counts or 'nothing found'}"
        )


command = formatting.Command(
    "check",
    callback=_run,
    help=HELP,
    short_help="Find what is wrong with a dataset, by cause.",
    params=[
        options.dataset(),
        click.Option(
            ["--images"], type=click.Path(path_type=Path), help="Folder of images, any layout."
        ),
        click.Option(["--masks"], type=click.Path(path_type=Path), help="Folder of their masks."),
        click.Option(
            ["--classes"],
            metavar="FILE|a,b,c|N",
            help="Class names, or their number, where the dataset does not say.",
        ),
        click.Option(
            ["--select"],
            multiple=True,
            metavar="CODES",
            help="Only rules whose code starts with this: SEG2,SEG301. Repeatable.",
        ),
        click.Option(
            ["--ignore"],
            multiple=True,
            metavar="CODES",
            help="Leave out rules whose code starts with this. Repeatable.",
        ),
        click.Option(
            ["--reader"],
            multiple=True,
            type=click.Choice(READERS),
            help="Predict what this reader will misread. Repeatable.",
        ),
        click.Option(
            ["--format", "form"],
            type=click.Choice(["text", "json", "sarif", "github"]),
            default="text",
            show_default=True,
            help="For people, scripts, code scanning, or GitHub's annotations.",
        ),
        click.Option(
            ["--report", "page"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE.html",
            help="Also write the findings, with pictures, to this HTML page.",
        ),
        click.Option(["--overwrite"], is_flag=True, help="Overwrite an existing report."),
        click.Option(["--fix"], is_flag=True, help="Plan the safe repairs; nothing is written."),
        click.Option(["--yes"], is_flag=True, help="With --fix: repair in place."),
        click.Option(
            ["-o", "--out"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="NEW",
            help="With --fix: write a repaired copy to this new folder, and change nothing else.",
        ),
        click.Option(
            ["--undo"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Undo the repairs recorded in DATASET/runs/fix-N.",
        ),
        click.Option(["--explain"], metavar="CODE", help="Explain a rule; all = list every rule."),
        *options.workers(),
        options.no_lock(),
        *options.display(),
    ],
)
on_engines(command)
