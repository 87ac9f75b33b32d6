"""Reasons that the scores of the trained network give."""

from collections.abc import Sequence

from segprep.training.check.verdict import Counts, Reason, miou

LEARNED = 0.05  # recall from which a class counts as learned


def unlearned(val: Counts) -> list[int]:
    """The classes of *val* (N, C, C) that the network hardly ever finds."""
    total = val.sum(0)
    return [n for n, row in enumerate(total) if row.sum() and total[n, n] < LEARNED * row.sum()]


def of_scores(val: Counts, train: Counts, names: Sequence[str]) -> list[Reason]:
    """Classes that the network never finds, and scores on val far below those on train.

    (N, C, C) each.
    """
    reasons, total, seen = [], val.sum(0), train.sum(0)
    shares = total.sum(1) / max(int(total.sum()), 1)
    for n, name in enumerate(names):
        if total[n].sum() and seen[n].sum() and not total[n, n]:
            level = "doubtful" if shares[n] >= 0.05 else "learnable"
            reasons.append(
                Reason(
                    "class-never-predicted",
                    f"class {name} ({shares[n]:.1%} of the pixels) is never predicted correctly",
                    level,  # type: ignore[arg-type]
                )
            )
    own, other = float(miou(seen)), float(miou(total))
    if len(train) and len(val) and other < 0.6 * own:
        text = (
            f"mIoU is {other:.2f} on the val list but {own:.2f} on the train list: the two may come"
            " from different sources, or the set is too small"
        )
        reasons.append(Reason("val-unlike-train", text, "doubtful"))
    return reasons
