"""What JPEG and PNG tell beside the picture can be left out; the picture stays, bit for bit."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, PngImagePlugin
from segprep_cli.main import group

from segprep.imaging import metadata

SECRET = b"52.5200 13.4050"


def photograph(format: str, **saving: object) -> bytes:
    """A picture that says where and when it was taken, in every way its format knows."""
    picture = Image.merge("RGB", [Image.linear_gradient("L").resize((64, 48))] * 3)
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x9286] = SECRET.decode()
    out = io.BytesIO()
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET.decode())
        text.add_itxt("Where", SECRET.decode())
        saving["pnginfo"] = text
    else:
        saving["comment"] = SECRET
    picture.save(out, format, exif=exif, icc_profile=b"profile " * 20, **saving)
    return out.getvalue() + b"trailer " + SECRET


@pytest.mark.parametrize(
    ("format", "saving"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_rows": 1}),
        ("PNG", {}),
    ],
)
def test_the_picture_stays_and_the_rest_goes(format: str, saving: dict[str, object]) -> None:
    data = photograph(format, **saving)
    bare = metadata.stripped(data, format)
    assert SECRET in data
    assert SECRET not in bare
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(bare))
    assert (np.asarray(before) == np.asarray(after)).all()
    assert after.info["icc_profile"] == before.info["icc_profile"]
    assert not after.getexif()
    assert "comment" not in after.info
    assert metadata.stripped(bare, format) == bare


def test_convert_strips_what_it_copies(tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    for name, format in (("a.jpg", "JPEG"), ("b.png", "PNG")):
        (source / name).write_bytes(photograph(format))
        shape = {"label": "cat", "points": [[1, 1], [9, 1], [5, 9]], "shape_type": "polygon"}
        content = {"shapes": [shape], "imagePath": name, "imageData": None}
        (source / name).with_suffix(".json").write_text(json.dumps(content))
    words = ["json2mask", str(source), str(tmp_path / "o"), "-q"]
    assert CliRunner().invoke(group, words).exit_code == 0
    assert SECRET in (tmp_path / "o/JPEGImages/a.jpg").read_bytes()
    bare = ["json2mask", str(source), str(tmp_path / "p"), "-q", "--strip-metadata"]
    assert CliRunner().invoke(group, bare).exit_code == 0
    for path in (tmp_path / "p").rglob("*"):
        assert not path.is_file() or SECRET not in path.read_bytes()
    assert CliRunner().invoke(group, ["verify", str(tmp_path / "p")]).exit_code == 0
