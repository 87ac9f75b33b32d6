"""What an entry of a list means."""

from collections.abc import Collection


def bare_name(entry: str, stems: Collection[str]) -> str:
    """The sample that *entry* means if it is spelled with a folder, an extension or a label behind
    it; "" if none of *stems*.
    """
    first = entry.split(maxsplit=1)[0].replace("\\", "/") if entry.split() else ""
    for text in (entry.replace("\\", "/"), first):
        for name in (text, text.rpartition("/")[2]):
            for plain in (name, name.rpartition(".")[0]):
                if plain and plain in stems:
                    return plain
    return ""
