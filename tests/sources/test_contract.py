"""What every format owes, whatever its name; formats are found by name, so a new one needs no line
here.
"""

import io
import pickle
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import numpy as np
import pytest
from PIL import Image

from segprep import sources
from segprep.imaging.image import histogram
from segprep.types import Reader


@pytest.mark.parametrize("name", sources.names())
def test_contract(name: str, tmp_path: Path, sibling: Callable[[str], ModuleType]) -> None:
    reader: Reader = sibling(name).example(tmp_path)
    evidence = type(reader).recognise(reader.root)
    assert evidence
    assert 0 < evidence.score <= 1
    scan = reader.scan()
    stems = [item.stem for item in scan.items]
    assert stems
    assert stems == sorted(set(stems))
    allowed = {*range(len(scan.classes.names)), scan.classes.ignore}
    for item in pickle.loads(pickle.dumps(scan.items)):
        sample = reader.read(item)
        assert sample.stem == item.stem
        assert sample.mask.dtype == np.uint8
        assert sample.mask.shape == Image.open(io.BytesIO(sample.image)).size[::-1]
        assert set(np.unique(sample.mask).tolist()) <= allowed
        assert sample.pixels in (None, histogram(sample.mask))


@pytest.mark.parametrize("name", sources.names())
def test_every_field_but_root_is_an_option_with_help(name: str) -> None:
    reader = sources.load(name)
    hints = get_type_hints(reader, include_extras=True)
    first, *rest = [one.name for one in fields(reader)]  # type: ignore[arg-type]
    assert first == "root"
    assert all(hints[one].__metadata__[-1].endswith(".") for one in rest)
    assert sources.summary(name)
    assert any(f"convert {name} " in line or "json2mask" in line for line in sources.examples(name))


def test_an_unknown_format_suggests_the_nearest() -> None:
    with pytest.raises(Exception, match="labelm") as caught:
        sources.load("labelm")
    assert "labelme" in caught.value.hint  # type: ignore[attr-defined]
