"""Which columns of a table hold images and masks, whatever they are called."""

import pytest

from segprep.sources._common.pair_patterns import columns


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("image,mask,split", {"image": "image", "mask": "mask"}),
        ("image_path,mask_path", {"image": "image_path", "mask": "mask_path"}),
        ("Label File,Image File", {"image": "Image File", "mask": "Label File"}),
        ("image_id,image_path,mask", {"image": "image_path", "mask": "mask"}),
        ("image_a,image_b,mask", {"mask": "mask"}),
        ("image_mask,split", {}),
        ("a,b", {}),
    ],
)
def test_columns_by_what_they_say(header: str, meant: dict[str, str]) -> None:
    assert columns(header.split(",")) == meant
