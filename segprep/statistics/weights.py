"""Class weights for a loss, from how often the classes occur."""

from collections.abc import Callable, Sequence
from math import log, nan

Counts = Sequence[int]


def inverse(pixels: Counts, images: Counts, sizes: Counts) -> list[float]:
    """N / (K n): all pixels over classes times the pixels of the class, as scikit-learn's
    "balanced"; 0 for a class without a pixel.
    """
    present = sum(1 for count in pixels if count)
    total = sum(pixels)
    return [total / (present * count) if count else 0.0 for count in pixels]


def median_frequency(pixels: Counts, images: Counts, sizes: Counts) -> list[float]:
    """The median of the classes' frequencies over the class's own, a frequency being its pixels
    over all pixels of the images that it occurs in (Eigen and Fergus 2015, arXiv:1411.4734).
    """
    frequencies = [count / size if size else 0.0 for count, size in zip(pixels, sizes, strict=True)]
    present = sorted(frequency for frequency in frequencies if frequency)
    half = len(present) // 2
    median = (
        nan
        if not present
        else present[half]
        if len(present) % 2
        else (present[half - 1] + present[half]) / 2
    )
    return [median / frequency if frequency else 0.0 for frequency in frequencies]


def enet(pixels: Counts, images: Counts, sizes: Counts, c: float = 1.02) -> list[float]:
    """1 / ln(c + p) with the class's share p of all pixels (ENet, arXiv:1606.02147)."""
    total = sum(pixels) or 1
    return [1 / log(c + count / total) if count else 0.0 for count in pixels]


def effective_number(
    pixels: Counts, images: Counts, sizes: Counts, beta: float = 0.99
) -> list[float]:
    """(1 - beta) / (1 - beta ** n), n being the images with the class, scaled to a mean of 1 (Cui
    et al. 2019, arXiv:1901.05555). Pixels of one object are not independent samples, images are.
    """
    raw = [(1 - beta) / (1 - beta**count) if count else 0.0 for count in images]
    present = sum(1 for weight in raw if weight)
    scale = present / sum(raw) if present else 0.0
    return [weight * scale for weight in raw]


RULES: dict[str, Callable[[Counts, Counts, Counts], list[float]]] = {
    "inverse": inverse,
    "median-frequency": median_frequency,
    "enet": enet,
    "effective-number": effective_number,
}
