"""Charts of a dataset's numbers; matplotlib (extra report) is loaded only here."""

from segprep.errors import MissingExtraError
from segprep.reports import figures
from segprep.statistics import Stats

MOST = 60  # classes in a chart: those with most pixels


def charts(found: Stats) -> dict[str, bytes]:
    """PNG by file name: class shares per split, and image sizes.

    Raises MissingExtraError without matplotlib.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("drawing charts", "matplotlib", "report") from error
    return {"classes.png": _classes(found), "sizes.png": _sizes(found)}


def _classes(found: Stats) -> bytes:
    """Bars of the share of every class, logarithmic, with a mark per split."""
    shown = sorted(found.classes, key=lambda row: -row.pixels)[:MOST]
    made = figures.figure(8, 1.6 + 0.3 * len(shown))
    axes = made.subplots()
    places = list(range(len(shown)))
    axes.barh(places, [row.share for row in shown], color="#7aa6d8", label="all")
    marks = {"train": ("o", "#1e8449"), "val": ("s", "#b03a2e"), "test": ("^", "#7d3c98")}
    for name in found.splits:
        sums = sum(row.splits[name][0] for row in found.classes) or 1
        shape, color = marks[name]
        shares = [row.splits[name][0] / sums for row in shown]
        axes.plot(shares, places, shape, color=color, markersize=5, label=name)
    names = [row.name for row in shown]
    axes.set_yticks(places, figures.labels(names, places), fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("share of the pixels that count (logarithmic)")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    made.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figures.png_bytes(made)


def _sizes(found: Stats) -> bytes:
    """Width against height of all images, larger dots for more of them."""
    made = figures.figure(5, 4.6)
    axes = made.subplots()
    widths, heights = zip(*found.sizes, strict=True)
    counts = list(found.sizes.values())
    top = max(counts)
    axes.scatter(widths, heights, [20 + 280 * count / top for count in counts], alpha=0.6)
    axes.set_xlim(0, 1.1 * max(widths))
    axes.set_ylim(0, 1.1 * max(heights))
    axes.set_xlabel("width (pixels)")
    axes.set_ylabel("height (pixels)")
    axes.set_title(f"{len(counts)} sizes of {found.images} images", fontsize=10)
    return figures.png_bytes(made)
