"""Attributes of regions as their classes, whatever a tool calls them: --class-from."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from segprep.errors import ShapeError, SourceError, UsageError
from segprep.names import clean_label, shown
from segprep.sources._common.shapes.region_shapes import Attributes, Region

if TYPE_CHECKING:
    from segprep.sources._common.images.source_images import AnnotatedImage

ClassFrom = Annotated[
    str,
    "Take the class from this attribute of a region instead of its label; an unknown name lists"
    " the attributes present.",
]
HINT = "set it in the annotation tool"


def relabeled(
    images: "Iterable[AnnotatedImage]", attribute: str
) -> "tuple[tuple[AnnotatedImage, ...], tuple[str, ...]]":
    """*images* whose regions are of the classes that *attribute* holds ("": as they are), and the
    names of all attributes.
    """
    result, names = [], dict[str, None]()
    for image in images:
        names.update((name, None) for region in image.regions for name, _ in region.attributes)
        regions = tuple(classed(region, attribute) for region in image.regions)
        result.append(replace(image, regions=regions))
    return tuple(result), tuple(names)


def absent(attribute: str, names: Iterable[str]) -> UsageError:
    """The error where nothing has *attribute*; *names* are those that there are."""
    listed = ", ".join(shown(name) for name in [*names][:20])
    return UsageError(
        "classes-ambiguous",
        f"no shape has the attribute {shown(attribute)!r} that --class-from names",
        f"there are: {listed}" if listed else "no shape has any attribute: give no --class-from",
    )


def named_values(name: object, value: Any) -> Iterator[tuple[str, str]]:
    """*name* with each text in *value*: a text, a number, true or false, or a list of them."""
    for entry in value if isinstance(value, list) else [value]:
        text = str(entry).lower() if isinstance(entry, bool) else entry
        text = f"{text:g}" if isinstance(text, int | float) else text
        if isinstance(name, str) and isinstance(text, str) and text.strip():
            yield name, text.strip()


def only_attribute(regions: Iterable[Region], path: Path, stated: str = "") -> str:
    """The attribute that holds the class of the *regions* of the file *path*: *stated* by
    ``--class-from``, the only one, or the first of several with the same values in every region;
    "" where there is none. Raises SourceError if several may, or none is the stated one.
    """
    values = [_values(region) for region in regions]
    names = list(dict.fromkeys(name for of_region in values for name in of_region))
    if stated and names and stated not in names:
        hint = f"there are: {', '.join(map(shown, names))}"
        reason = f"no region has the attribute {stated!r}"
        raise SourceError(path, reason, hint, "classes-ambiguous")
    if stated or not names:
        return stated if names else ""
    if any(
        of_region.get(name) != of_region.get(names[0]) for of_region in values for name in names
    ):
        hint = f"say which: --class-from {shown(names[0])}"
        reason = "the class may be any of several attributes: " + ", ".join(map(shown, names))
        raise SourceError(path, reason, hint, "classes-ambiguous")
    return names[0]


def _values(region: Region) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in region.attributes:
        values.setdefault(name, []).append(value)
    return values


def only_value(attributes: Attributes, name: str, address: str) -> str:
    """The value of the attribute *name* as a label. Raises ShapeError (bad-label, with *address*)
    if there is none, or several.
    """
    values = list(dict.fromkeys(value for key, value in attributes if key == name))
    if len(values) != 1:
        listed = f"{len(values)} values of" if values else "no"
        named = f": {', '.join(shown(value) for value in values[:8])}" if values else ""
        reason = f"{address}: has {listed} attribute {shown(name)!r}{named}"
        raise ShapeError(reason, HINT, "bad-label")
    try:
        return clean_label(values[0])
    except ValueError as error:
        reason = f"{address}: attribute {shown(name)!r}: {error}"
        raise ShapeError(reason, HINT, "bad-label") from error


def classed(region: Region, attribute: str) -> Region:
    """*region* of the class that its *attribute* holds ("": of its label), or with the fault that
    it has none.
    """
    if region.fault:
        return region
    if not attribute:
        return replace(region, attributes=()) if region.attributes else region
    try:
        label = only_value(region.attributes, attribute, region.address)
    except ShapeError as error:
        return replace(region, label="", fault=error.message, attributes=())
    return replace(region, label=label, attributes=())
