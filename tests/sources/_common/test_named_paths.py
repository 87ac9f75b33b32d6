"""Where the path that an annotation names leads."""

from pathlib import Path

import pytest

from segprep.sources._common.texts.named_paths import inside, is_file_name, meant

HOME = Path("/data/set/annotations")


@pytest.mark.parametrize(
    ("named", "leads"),
    [
        ("cat.jpg", "/data/set/annotations/cat.jpg"),
        (" a.b .", "/data/set/annotations/ a.b ."),
        ("..", "/data/set"),
        (".", "/data/set/annotations"),
        ("", "/data/set/annotations"),
        ("../images/cat.jpg", "/data/set/images/cat.jpg"),
        ("..\\images\\cat.jpg", "/data/set/images/cat.jpg"),
        ("C:\\cat.jpg", "/data/set/annotations/cat.jpg"),
        ("C:cat.jpg", "/data/set/annotations/cat.jpg"),
        ("/elsewhere/cat.jpg", "/elsewhere/cat.jpg"),
    ],
)
def test_a_name_leads_where_its_parts_do(named: str, leads: str) -> None:
    assert meant(named, HOME) == Path(leads)
    assert is_file_name(named) == (named in ("cat.jpg", " a.b ."))


def test_only_what_lies_below_a_root_is_inside() -> None:
    assert inside(HOME, [HOME.parent])
    assert inside(HOME, [HOME])
    assert not inside(HOME.parent, [HOME])
    assert not inside(Path("/data/set/annotations2"), [HOME])
