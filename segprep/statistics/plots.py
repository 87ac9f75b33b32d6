"""Charts of a dataset's numbers; matplotlib (extra report) is loaded only here."""

from segprep.errors import MissingExtraError
from segprep.reports import figures
from segprep.statistics import Stats

MOST = 60  # classes in a chart: those with most pixels


def charts(stats: Stats) -> dict[str, bytes]:
    """PNG by file name: class shares per split, and image sizes.

    Raises MissingExtraError without matplotlib.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("drawing charts", "matplotlib", "report") from error
    return {"classes.png": _classes(stats), "sizes.png": _sizes(stats)}


def _classes(stats: Stats) -> bytes:
    """Bars of the share of every class, logarithmic, with a mark per split."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    shown = sorted(stats.classes, key=lambda row: -row.pixels)[:MOST]
    figure = figures.figure(8, 1.6 + 0.3 * len(shown))
    axes = figure.subplots()
    places = list(range(len(shown)))
    axes.barh(places, [row.share for row in shown], color="#7aa6d8", label="all")
    marks = {"train": ("o", "#1e8449"), "val": ("s", "#b03a2e"), "test": ("^", "#7d3c98")}
    for name in stats.splits:
        sums = sum(row.splits[name][0] for row in stats.classes) or 1
        shape, color = marks[name]
        shares = [row.splits[name][0] / sums for row in shown]
        axes.plot(shares, places, shape, color=color, markersize=5, label=name)
    names = [row.name for row in shown]
    axes.set_yticks(places, figures.labels(names, places), fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
    axes.set_xlabel("share of the pixels that count (logarithmic)")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figures.png_bytes(figure)


def _sizes(stats: Stats) -> bytes:
    """Width against height of all images, larger dots for more of them."""
    figure = figures.figure(5, 4.6)
    axes = figure.subplots()
    widths, heights = zip(*stats.sizes, strict=True)
    counts = list(stats.sizes.values())
    top = max(counts)
    axes.scatter(widths, heights, [20 + 280 * count / top for count in counts], alpha=0.6)
    axes.set_xlim(0, 1.1 * max(widths))
    axes.set_ylim(0, 1.1 * max(heights))
    axes.set_xlabel("width (pixels)")
    axes.set_ylabel("height (pixels)")
    axes.set_title(f"{len(counts)} sizes of {stats.images} images", fontsize=10)
    return figures.png_bytes(figure)
