"""Class lists as other tools write them: every name gets the pixel value that its file means."""

import json
from pathlib import Path

import pytest

from segprep.dataset import class_tables, classes
from segprep.errors import SegprepError

TABLES = {
    "plain": ("a.txt", "background\ncat\ndog\n", ["background", "cat", "dog"]),
    "windows": ("a.txt", "\ufeffbackground\r\ncat\r\n", ["background", "cat"]),
    "old mac": ("a.txt", "background\rcat", ["background", "cat"]),
    "digits in names": ("a.txt", "class 0\nclass 1\nclass 2\n", ["class 0", "class 1", "class 2"]),
    "one line": ("a.txt", "background, cat,dog\n", ["background", "cat", "dog"]),
    "a header alone": ("a.csv", "class_name\nbackground\ncat\n", ["background", "cat"]),
    "one class called label": ("a.txt", "label\n", ["label"]),
    "pipes": ("a.csv", "id|name\n0|background\n1|cat\n", ["background", "cat"]),
    "markdown": (
        "a.md",
        "| id | name |\n|---|:--|\n| 1 | cat |\n| 0 | background |\n",
        ["background", "cat"],
    ),
    "comments": ("a.txt", "# my classes\nbackground\ncat\n", ["background", "cat"]),
    "roboflow": (
        "_classes.csv",
        "Pixel Value, Class\n0, background\n1, cat\n2, dog\n",
        ["background", "cat", "dog"],
    ),
    "gap": (
        "_classes.csv",
        "Pixel Value, Class\n0, background\n3, cat\n",
        ["background", "class_1", "class_2", "cat"],
    ),
    "unordered": ("a.csv", "name,id\ncat,2\nbackground,0\ndog,1\n", ["background", "dog", "cat"]),
    "no header": ("a.csv", "0,background\n1,cat\n", ["background", "cat"]),
    "name first": ("a.csv", "background,0\ncat,1\n", ["background", "cat"]),
    "semicolons": ("a.csv", "id;name\n0;background\n1;cat\n", ["background", "cat"]),
    "tabs": ("a.tsv", "0\tbackground\n1\tcat\n", ["background", "cat"]),
    "class_dict": (
        "class_dict.csv",
        "name, r, g, b\nunlabeled, 0, 0, 0\ndirt, 130, 76, 0\n",
        ["unlabeled", "dirt"],
    ),
    "colors": (
        "label_colors.txt",
        "64 128 64\tAnimal\n192 0 128\tArchway\n",
        ["Animal", "Archway"],
    ),
    "colors last": ("a.txt", "Animal 64 128 64\nBig arch 192 0 128\n", ["Animal", "Big arch"]),
    "labelmap": (
        "labelmap.txt",
        (
            "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\n"
            "ignored:224,224,192::\n"
        ),
        ["background", "cat"],
    ),
    "numbered": ("a.txt", "0 background\n1 big cat\n2 dog\n", ["background", "big cat", "dog"]),
    "colons": ("a.txt", "0: background\n1: cat\n", ["background", "cat"]),
    "from one": ("a.txt", "1 wall\n2 building\n", ["_background_", "wall", "building"]),
    "value behind": ("a.txt", "background 0\ncat 1\n", ["background", "cat"]),
    "ignored": ("a.txt", "0 background\n1 cat\n255 void\n", ["background", "cat"]),
    "yaml": ("data.yaml", "nc: 2\nnames: ['background', \"cat\"]\n", ["background", "cat"]),
    "yaml quotes": (
        "data.yaml",
        "names: ['a, b', \"say \\\"hi\\\"\", 'it''s', plain]  # four\n",
        ["a, b", 'say "hi"', "it's", "plain"],
    ),
    "yaml quoted numbers": (
        "data.yaml",
        "names:\n  0: \"caf\\u00e9\"  # one\n  1: C# code\n  2: '#hash'\n",
        ["café", "C# code", "#hash"],
    ),
    "labelme": ("labels.txt", "__ignore__\na, b\n#hash\n", ["__ignore__", "a, b", "#hash"]),
    "nnunet ignore": (
        "dataset.json",
        '{"labels": {"background": 0, "cat": 1, "ignore": 2}, "numTraining": 3}',
        ["background", "cat", "__ignore__"],
    ),
    "an ignore that is not last": (
        "dataset.json",
        '{"labels": {"background": 0, "ignore": 1, "cat": 2}, "numTraining": 3}',
        ["background", "ignore", "cat"],
    ),
    "yaml block": ("data.yaml", "names:\n- background\n- cat\ntrain: x\n", ["background", "cat"]),
    "yaml numbers": ("data.yaml", "names:\n  0: background\n  1: cat\n", ["background", "cat"]),
    "json list": ("classes.json", json.dumps(["background", "cat"]), ["background", "cat"]),
    "nnU-Net": (
        "dataset.json",
        json.dumps({"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1}}),
        ["background", "liver"],
    ),
    "nnU-Net v1": (
        "dataset.json",
        json.dumps({"labels": {"0": "background", "1": "liver"}}),
        ["background", "liver"],
    ),
    "supervisely": (
        "obj_class_to_machine_color.json",
        json.dumps({"cat": [1, 1, 1], "dog": [3, 3, 3]}),
        ["_background_", "cat", "class_2", "dog"],
    ),
    "mapillary": (
        "config_v1.2.json",
        json.dumps(
            {"labels": [{"name": "bird", "color": [1, 2, 3]}, {"name": "cat", "color": [4, 5, 6]}]}
        ),
        ["bird", "cat"],
    ),
    "coco": (
        "categories.json",
        json.dumps({"categories": [{"id": 2, "name": "cat"}, {"id": 0, "name": "sky"}]}),
        ["sky", "class_1", "cat"],
    ),
}
REFUSED = {
    "prose": ("a.txt", "A list of classes, in no order.\nNothing more\n"),
    "synonyms": ("a.txt", "wall\nbuilding, edifice\nsky\n"),
    "two names": ("a.csv", "id,name\n0,a\n0,b\n"),
    "unknown columns": ("a.csv", "x,y,z\n1,2,a\n3,4,b\n"),
    "not a value": ("a.csv", "id,name\nzero,a\n1,b\n"),
    "too large": ("a.csv", "id,name\n0,a\n700,b\n"),
    "odd numbers": ("a.txt", "2 wheeler\n4 legs\n"),
    "json": ("a.json", json.dumps({"version": 1, "info": {"a": 1}})),
    "broken json": ("a.json", "{"),
    "empty": ("a.txt", "\n\n"),
    "yaml": ("data.yaml", "train: x\n"),
    "counted lines": ("a.txt", "1. background\n2. cat\n"),
    "pbtxt": ("map.pbtxt", 'item {\n id: 1\n name: "cat"\n}\n'),
    "latin": ("a.txt", "b\xe9"),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables(tmp_path: Path, case: str) -> None:
    name, text, names = TABLES[case]
    (tmp_path / name).write_text(text, "utf-8", newline="")
    assert classes.parse_list(str(tmp_path / name)) == names


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_a_class_list(tmp_path: Path, case: str) -> None:
    name, text = REFUSED[case]
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(SegprepError) as caught:
        classes.make(classes.parse_list(str(tmp_path / name)))
    assert caught.value.code == "bad-classes"
    assert name in caught.value.message or "class list" in caught.value.message


def test_the_list_of_a_tree_is_plain(tmp_path: Path) -> None:
    """Its names may be whatever a class may be called."""
    (tmp_path / "class_names.txt").write_text("0 background\nwall, building\n")
    path = tmp_path / "class_names.txt"
    assert classes.read_list(path) == ["0 background", "wall, building"]


TEXTS = {
    "0 0 0 0 background\n1 255 0 0 big cat\n2 0 255 0 dog\n": ["background", "big cat", "dog"],
    "1 cat 255 0 0\n2 dog 0 255 0\n": ["_background_", "cat", "dog"],
    "background 0 0 0 0\ncat 1 255 0 0\n": ["background", "cat"],
    "id name\n0 background\n1 big cat\n": ["background", "big cat"],
    "Name ID\nbackground 0\nbig cat 1\n": ["background", "big cat"],
    "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.1\t9\t1\t1\twall\n2\t0.1\t9\t1\t1\tsky, air\n": [
        *("_background_", "wall", "sky, air")
    ],
    "0, 'background'\n1, 'cat'\n": ["background", "cat"],
    '"background"\n"cat"\n': ["background", "cat"],
    "traffic light\nroad (wet)\ncar 2\n": ["traffic light", "road (wet)", "car 2"],
    "none\n<unk>\n</style><script>\n{{7*7}}\n${x}\n": [
        *("none", "<unk>", "</style><script>", "{{7*7}}", "${x}")
    ],
}


@pytest.mark.parametrize("text", TEXTS)
def test_texts_with_numbers_colors_and_headers(text: str) -> None:
    assert class_tables.read(Path("classes.txt"), text.encode()) == TEXTS[text]


@pytest.mark.parametrize(
    "text",
    [
        "classes = ('background', 'cat')",
        "names = [\n  'background',\n]\n",
        "<!doctype html>\n<html>\n",
        "names: {0: background, 1: cat}\n",
        "struct colors {\n",
        "This is the list of the classes of this dataset.\nPlease read it.\n",
        "cat 1 animal\ndog 2 animal\n",
        "id name\n0\n1 cat\n",
    ],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(SegprepError) as caught:
        class_tables.read(Path("classes.txt"), text.encode())
    assert caught.value.code == "bad-classes"
