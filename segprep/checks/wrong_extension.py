"""A file's extension says another format than its content.

Why: readers that choose the decoder by the name fail or read nothing.
Fix: rename the file (segprep check --fix does it).
Source: Abyssinian_34.jpg of Oxford-IIIT Pet is a GIF.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

EXTENSIONS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "PPM": (".ppm", ".pgm", ".pbm"),
}
RULE = Rule("SEG103", "warning", fix="rename", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Files whose magic bytes and extension differ."""
    for pair in survey.pairs:
        for path, facts in ((pair.image, pair.photo), (pair.mask, pair.label)):
            if path and facts and path.suffix.lower() not in EXTENSIONS.get(facts.format, ()):
                if facts is pair.label and facts.format == "JPEG":
                    continue  # said by the rule on JPEG masks
                yield RULE.finding(
                    pair.stem,
                    survey.name(path),
                    f"is a {facts.format} file with the extension {path.suffix}",
                    "rename it: segprep check --fix",
                )
