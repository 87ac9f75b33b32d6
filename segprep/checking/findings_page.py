"""Findings as a page to send around: by cause, with the samples that they are about."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep import checks
from segprep.errors import SourceError
from segprep.files import read_below
from segprep.imaging import image, inspection
from segprep.outputs import OutputFolder
from segprep.reports import page, thumbnails
from segprep.types import Finding

SHOWN, LISTED = 6, 40  # pictures and lines of one cause
Files = Mapping[str, tuple[Path | None, Path | None]]  # stem -> image, mask
TONES = {"error": "bad", "warning": "fair", "info": "good"}


def write(
    path: Path,
    root: Path,
    findings: Sequence[Finding],
    files: Files,
    *,
    samples: int,
    rules: int,
    background: int | None = 0,
) -> None:
    """Write the page to *path*. *files* are those of the samples with findings."""
    counts = {tone: sum(finding.severity == tone for finding in findings) for tone in TONES}
    words = [
        f"{count} {tone}{'s' if count != 1 and tone != 'info' else ''}"
        for tone, count in counts.items()
        if count
    ]
    worst = next((tone for tone, count in counts.items() if count), "info")
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.code, []).append(finding)
    lead = f"{samples} samples, {rules} rules."
    if findings:
        lead += " Each cause comes with a fix; for details, run segprep check --explain CODE."
    sections = [_section(code, group, root, files, background) for code, group in groups.items()]
    verdict = ", ".join(words) or "nothing found"
    title = f"check of {root.resolve().name}"
    content = page.Page(title, verdict, TONES[worst], lead, sections, "segprep check")
    OutputFolder(path.parent).write(path.name, page.render(content))


def _section(
    code: str, group: Sequence[Finding], root: Path, files: Files, background: int | None
) -> page.Section:
    lines: list[tuple[str, str]] = [
        (
            finding.severity,
            f"{finding.path or finding.stem}: {finding.message}"
            if finding.stem
            else finding.message,
        )
        for finding in group[:LISTED]
    ]
    if len(group) > LISTED:
        lines.append(("…", f"and {len(group) - LISTED} more"))
    if hint := group[0].hint:
        lines.append(("fix", hint))
    parts: list[page.Part] = [page.Remarks(lines)]
    stems = list(dict.fromkeys(finding.stem for finding in group if finding.stem in files))
    figures = [
        figure for stem in stems[:SHOWN] if (figure := _figure(stem, root, files[stem], background))
    ]
    if figures:
        parts.append(page.Gallery(figures))
    return page.Section(f"{code}: {checks.title(checks.rules()[code])}", _why(code), parts)


def _why(code: str) -> str:
    """The sentence of the rule that says why it matters."""
    text = (checks.rules()[code].__doc__ or "").partition("Why:")[2].partition("\nFix:")[0]
    words = " ".join(text.split())
    return words[:1].upper() + words[1:]


def _figure(
    stem: str, root: Path, paths: tuple[Path | None, Path | None], background: int | None
) -> page.Figure | None:
    """The image, and its mask over it, as far as they can be read."""
    pictures, seen = [], None
    photo, mask = paths
    try:
        if photo:
            decoded = image.pixels(read_below(photo, (root,)), photo)
            seen = thumbnails.small(thumbnails.shown(decoded))
            pictures.append(("image", thumbnails.uri(seen)))
        if mask:
            samples = inspection.mask(read_below(mask, (root,)), mask).samples
            pictures.append(("mask", thumbnails.uri(_drawn(samples, seen, background))))
    except SourceError:
        pass  # that is what the finding says
    return page.Figure(stem, "", pictures) if pictures else None


def _drawn(
    samples: NDArray[np.generic], seen: NDArray[np.uint8] | None, background: int | None
) -> NDArray[np.uint8]:
    """A mask of any kind as a picture: ids over the image, colors as they are."""
    if samples.ndim == 3:
        colors = samples[..., :3] if samples.shape[2] >= 3 else samples[..., :1].repeat(3, 2)
        return thumbnails.small(np.asarray(colors, np.uint8))
    values = np.nan_to_num(samples.astype(np.float64)).clip(0, 255).astype(np.uint8)
    if seen is None:
        side = np.zeros((*values.shape, 3), np.uint8)
        seen = thumbnails.small(side)
    return thumbnails.laid_over(seen, values, background)
