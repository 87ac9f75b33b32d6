"""Images and annotations as nearly all programs write them, looked at a hundred at a time: whoever
reads the others has to look at each.
"""

from typing import Any

LONGEST = 2**31  # pixels along a side


def image_columns(values: list[Any]) -> list[list[Any]] | None:
    """Id, file name, height and width of the images *values*, whole numbers and names that are not
    empty; None if any is not so.
    """
    if {*map(type, values)} != {dict}:
        return None
    keys = ("id", "file_name", "height", "width")
    columns = [[value.get(key) for value in values] for key in keys]
    if [{*map(type, column)} for column in columns] != [{int}, {str}, {int}, {int}]:
        return None
    _, names, heights, widths = columns
    if min(*heights, *widths) <= 0 or max(*heights, *widths) >= LONGEST:
        return None
    return columns if all(map(str.strip, names)) else None


def are_outlines(values: list[Any], ids: set[int | str]) -> bool:
    """Whether the annotations *values* are outlines, not segments of a PNG, with whole numbers as
    ids, which differ from each other and from *ids*.
    """
    if not all(type(value) is dict and "segments_info" not in value for value in values):
        return False
    for key in ("image_id", "category_id", "id"):
        if {type(value.get(key)) for value in values} != {int}:
            return False
    own = {value["id"] for value in values}
    return len(own) == len(values) and ids.isdisjoint(own)
