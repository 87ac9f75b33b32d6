"""Images that show the same, pixel for pixel."""

from collections import defaultdict

from segprep.checks._common.survey import Survey


def groups(survey: Survey) -> list[list[str]]:
    """Stems whose decoded images are equal, in groups of two or more; pictures of one color are
    skipped: they are a fault of their own.
    """
    by_pixels: dict[str, list[str]] = defaultdict(list)
    for pair, photo in survey.images():
        if photo.levels > 1:
            by_pixels[photo.pixels].append(pair.stem)
    return [stems for stems in by_pixels.values() if len(stems) > 1]
