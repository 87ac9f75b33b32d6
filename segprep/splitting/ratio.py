"""The ratio of a split: 70/20/10, 80/20, .7/.2/.1."""

from fractions import Fraction
from math import lcm

from segprep.errors import UsageError

Ratio = tuple[int, ...]


def parse_ratio(text: str) -> tuple[str, Ratio]:
    """*text* (70/20/10, 80/20, .7/.2/.1) as it is recorded, and as whole numbers.

    Raises UsageError.
    """
    try:
        parts = [Fraction(part) for part in text.split("/")]
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(
            "bad-ratio", f"the ratio {text!r} is not train/val/test", "for example --ratio 70/20/10"
        ) from error
    if not 2 <= len(parts) <= 3 or min(parts) < 0 or sum(parts) not in (1, 10, 100):
        raise UsageError(
            "bad-ratio",
            f"the ratio {text!r} does not add up to 100 in two or three parts",
            "for example --ratio 70/20/10 or --ratio 80/20",
        )
    parts += [Fraction(0)] * (3 - len(parts))
    scale = lcm(*(part.denominator for part in parts))
    return "/".join(f"{float(part * 100 / sum(parts)):g}" for part in parts), tuple(
        int(part * scale) for part in parts
    )
