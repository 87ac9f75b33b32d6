"""Stems, labels and other people's names: compare, order, check and show them safely."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

Named = TypeVar("Named")
MAX_STEM_BYTES = 200  # leaves room below the usual 255 for an extension and a temporary suffix
_DIGITS = re.compile(r"(\d+)")
_LAST_NUMBER = re.compile(r"[\W_]*\d+\D*$")
_SHARD = re.compile(r"\d{3,9}/(?=[^/])")
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
}


def is_sidecar(name: str) -> bool:
    """Whether a file called *name* tells GIS programs where the picture beside it lies."""
    return name.endswith((".pgw", ".jgw", ".tfw", ".wld", ".aux.xml"))


def stem_of(name: str) -> str:
    """The file *name* without its last extension: ``a.b.json`` -> ``a.b``; ``.x`` stays ``.x``."""
    head, dot, _ = name.rpartition(".")
    return head if dot and head else name


def unsharded(stem: str) -> str:
    """The *stem* of a sample of a tree of segprep's without the folder that is its shard.

    >>> unsharded("007/a"), unsharded("a")
    ('a', 'a')
    """
    shard = _SHARD.match(stem)
    return stem[shard.end() :] if shard else stem


def stem_key(stem: str) -> str:
    """Stems with equal keys would collide on some file system (case, Unicode composition)."""
    return unicodedata.normalize("NFC", stem).casefold()


def natural_key(name: str) -> tuple[str, str]:
    """Sort key in which ``a2`` comes before ``a10``; ties are broken by the name itself. As text it
    takes a fifth of the memory of a list of numbers and words.

    >>> sorted(["a10", "a2", "A1"], key=natural_key)
    ['A1', 'a2', 'a10']
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    if "\0" in folded or "\1" in folded:  # what numbers and words begin with below
        folded = folded.replace("\1", "\1\3").replace("\0", "\1\2")
    return "".join(map(_sortable, filter(None, _DIGITS.split(folded)))), name


def natural_order(named: Iterable[Named], name: Callable[[Named], str] = str) -> list[Named]:
    """What is *named* in the order of its names' :func:`natural_key`; no keys are held where it
    comes in it.
    """
    listed = list(named)
    if all(
        before <= after for before, after in pairwise(natural_key(name(item)) for item in listed)
    ):
        return listed
    return sorted(listed, key=lambda item: natural_key(name(item)))


def film_of(stem: str) -> str:
    """What a stem has in common with those that differ in their last number only.

    >>> film_of("film1_001"), film_of("12"), film_of("lone")
    ('film1', '', 'lone')
    """
    return _LAST_NUMBER.sub("", stem)


def _sortable(part: str) -> str:
    """A number with its length before it, and before any word."""
    if not part.isdecimal():
        return f"\1{part}"
    digits = str(int(part))
    return f"\0{chr(len(digits))}{digits}"


def stem_fault(stem: str, *, portable: bool = True) -> str | None:
    """Why *stem* cannot name a sample on every system, or None if it can; unless *portable*, only
    what no system can store, or segprep's own files cannot hold.
    """
    if not stem or stem != stem.strip():
        return "is empty or begins or ends with a blank, which list files lose"
    plain = stem.isascii() and stem.isprintable() and "/" not in stem and "\\" not in stem
    if not plain and any(
        unicodedata.category(c) in ("Cc", "Cs") or c in "/\\\u2028\u2029" for c in stem
    ):
        return "has a control character, a separator, or bytes that are not text"
    if portable and (wrong := sorted(set(stem) & set(':*?"<>|'))):
        return f"has {' '.join(wrong)}, which Windows cannot store"
    if stem.endswith(".") or stem.split(".", maxsplit=1)[0].casefold() in RESERVED:
        return "is a name that Windows reserves or cannot store"
    if len(stem.encode()) > MAX_STEM_BYTES:
        return f"is longer than {MAX_STEM_BYTES} bytes"
    return None


def clean_label(label: object) -> str:
    """*label* in NFC without outer blanks. Raises ValueError saying what is wrong with it."""
    if not isinstance(label, str):
        raise ValueError(f"a label is text, not {type(label).__name__}")
    return _cleaned(label)


@lru_cache(maxsize=1024)  # a dataset has few labels, each of them thousands of times
def _cleaned(label: str) -> str:
    text = unicodedata.normalize("NFC", label).strip()
    if not text:
        raise ValueError("the label is empty")
    if len(text) > 200:
        raise ValueError(f"the label has {len(text)} characters; 200 are allowed")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise ValueError(f"the label {shown(text)} has control characters")
    return text


def variant_key(label: str) -> str:
    """Labels with equal keys look alike: case, width, blanks, hyphens and invisible characters are
    dropped.
    """
    folded = unicodedata.normalize("NFKC", label).casefold()
    return "".join(c for c in folded if unicodedata.category(c) != "Cf" and not c.isspace())


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The known word most like *word*, or None."""
    words = list(choices)
    same = [other for other in words if variant_key(other) == variant_key(word)]
    return next(iter(same or get_close_matches(word, words, n=1, cutoff=0.6)), None)


def did_you_mean(word: str, candidates: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the candidate most like *word*; *otherwise* where none is like it.

    >>> did_you_mean("resnet43", ["resnet34", "vgg16"])
    'did you mean resnet34?'
    """
    name = nearest(word, candidates)
    return f"did you mean {shown(name)}?" if name else otherwise


def unknown(what: str, name: str, names: Iterable[str]) -> tuple[str, str]:
    """Message and hint for a *name* that is not one of *names*; *what* is the thing it should name.

    >>> unknown("loss", "dise", ["ce", "dice"])
    ("there is no loss 'dise'", 'did you mean dice? there are: ce, dice')
    """
    return f"there is no {what} {shown(name)!r}", suggestion(name, names)


def suggestion(name: str, names: Iterable[str], most: int = 30) -> str:
    """The hint for an unknown *name*: the nearest of *names*, if one is near, and all of them (the
    first *most*).
    """
    words = list(names)
    guess = did_you_mean(name, words)
    rest = f" and {len(words) - most} more" if len(words) > most else ""
    return (
        f"{guess}{' ' if guess else ''}there are: {shown(', '.join(words[:most])) or 'none'}{rest}"
    )


def csv_cell(value: object) -> object:
    """*value* for a CSV file: a text that a spreadsheet would run as a formula gets a leading
    apostrophe.

    >>> csv_cell("=1+1"), csv_cell("-a"), csv_cell(-0.5), csv_cell("cat")
    ("'=1+1", "'-a", -0.5, 'cat')
    """
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def shown(text: object) -> str:
    """*text* for a terminal or a log: control, bidi and unpaired characters are escaped."""
    return "".join(
        (
            c
            if c == " " or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
            else c.encode("unicode_escape").decode()
        )
        for c in str(text)
    )
