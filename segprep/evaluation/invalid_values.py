"""Why a prediction holds values that are not class ids, and what to do about it."""

from collections.abc import Mapping, Sequence

from segprep.errors import SegprepError, SourceError
from segprep.evaluation import label_maps, voc_colors
from segprep.evaluation.arrays import Reading
from segprep.evaluation.folders import Folder
from segprep.files import read_below


def cause(seen: Mapping[int, int], wrong: Mapping[int, int], classes: int) -> str:
    """Why a prediction holds the values *wrong* (value -> pixels) among *seen*, and what to do
    about it.
    """
    present = set(seen)
    if set(wrong) == {255}:
        if present <= {0, 255} and classes == 2:
            return "0 and 255 only: a black and white picture; read it with --threshold 0.5"
        return (
            "255 means ignored, which a prediction cannot be: predict a class there, or count these"
            " pixels as errors with --invalid count"
        )
    from segprep.imaging.lookup import FLAT_VOC

    if present & {38, 75, 113} and present - {0} <= (FLAT_VOC - {0, 255}) | {220}:
        turn = (
            "turn them back with --colors voc"
            if voc_colors.fits(present, classes)
            else "write the ids themselves"
        )
        return f"grays of a VOC palette that was flattened; {turn}"
    if max(wrong) == classes and len(wrong) == 1 and 0 not in present:
        return f"ids count from 1 here; subtract 1, or give --classes with {classes + 1} names"
    if (len(present) > 24 and max(wrong) > 2 * classes) or (classes == 2 and max(wrong) > 24):
        return (
            "many different values: probabilities of 2 classes as gray levels (read them with"
            " --threshold 0.5), colors, or a mask saved as JPEG; write class ids"
        )
    if len(present) <= classes and max(wrong) > 3 * classes:
        levels = ", ".join(map(str, sorted(present)))
        return f"gray levels that stand for classes ({levels}); write the class ids themselves"
    return (
        f"were more than {classes} classes trained? give the list with --classes; --invalid count"
        " counts such pixels as errors"
    )


def refuse_ids_as_probabilities(stems: Sequence[str], predictions: Folder, how: Reading) -> None:
    """Raise SegprepError (values-unclear) if images that are to be read as probabilities hold 0
    and 1 only, in all of *stems*: these are ids, far below any threshold.
    """
    highest = 0
    for stem in stems:
        path = predictions.path(stem)
        if how.threshold is None or highest > 1 or path.suffix.lower() in (".npy", ".npz"):
            return
        try:
            data = read_below(path, (predictions.root,))
            highest = max(highest, int(label_maps.pixels(data, path).max()))
        except SourceError:
            return  # reported when it is scored
    if highest == 1:
        raise SegprepError(
            "values-unclear",
            f"the predictions in {predictions.root} hold 0 and 1 only: these are class ids, no"
            " probabilities to compare with --threshold",
            "leave --threshold out",
        )
