"""All hostile labelme inputs by name, and how each must end."""

from hostile.cases import Case
from hostile.labelme import drawings, images, paths, texts


def codes_of(case: Case) -> set[str]:
    return {case.code} if isinstance(case.code, str) else case.code


CASES = {
    name: case
    for part in (
        paths.paths,
        paths.links,
        images.images,
        texts.texts,
        drawings.shapes_,
        drawings.labels,
        drawings.stems,
    )
    for name, case in part()
}
BAD = sorted(
    name
    for name, case in CASES.items()
    if case.code and not case.foreign and "" not in {*codes_of(case)}
)
GOOD = sorted(name for name, case in CASES.items() if not case.code)
EITHER = sorted(name for name, case in CASES.items() if case.code and "" in codes_of(case))
FOREIGN = sorted(name for name, case in CASES.items() if case.foreign)
