"""Numbers from counts: joint histograms, confusion matrices, scores."""

# the tools of segprep.evaluation.compat, here so that miou --help needs no NumPy
TOOL_NAMES = (
    *("mmseg", "hf", "torchmetrics", "bubbliiiing", "divamgupta"),
    *("unetpp", "wz", "isbi", "sceneparsing", "pascal", "cityscapes"),
)
