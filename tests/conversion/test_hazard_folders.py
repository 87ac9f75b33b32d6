"""Image roots, links, overlaps and names: hostile folders rather than files."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hostile.makers import (
    encoded,
    plain,
    shape,
    tree,
)
from hostile.runs import run


def test_image_root_allows_what_is_outside(tmp_path: Path) -> None:
    plain(tmp_path / "src", "a", imagePath="../pictures/a.jpg")
    (tmp_path / "src" / "a.png").unlink()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(encoded("JPEG"))
    refused = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert refused.code == 1
    assert "--image-root" in refused.document["skipped"][0]["hint"]
    assert (
        run(
            "json2mask", tmp_path / "src", tmp_path / "out2", "--image-root", tmp_path / "pictures"
        ).code
        == 0
    )
    assert (tmp_path / "out2" / "JPEGImages" / "a.jpg").read_bytes() == encoded("JPEG")


def test_image_root_allows_no_more_than_itself(tmp_path: Path) -> None:
    plain(tmp_path / "src", "a", imagePath="../secret/s.png")
    (tmp_path / "src" / "a.png").unlink()
    for name in ("pictures", "pictures-not", "secret"):
        (tmp_path / name).mkdir()
    (tmp_path / "secret" / "s.png").write_bytes(encoded())
    (tmp_path / "pictures-not" / "s.png").write_bytes(encoded())
    (tmp_path / "pictures" / "s.png").symlink_to(tmp_path / "pictures-not" / "s.png")
    done = run(
        "json2mask", tmp_path / "src", tmp_path / "out", "--image-root", tmp_path / "pictures"
    )
    assert done.code == 1
    assert done.document["skipped"][0]["code"] == "link-outside-root"


def test_a_linked_folder_is_named(tmp_path: Path) -> None:
    """A link to a folder is not entered (H2); to say nothing would lose its samples silently."""
    plain(tmp_path / "src", "a")
    plain(tmp_path / "elsewhere", "b")
    (tmp_path / "src" / "part2").symlink_to(tmp_path / "elsewhere")
    done = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "JPEGImages").iterdir()] == ["a.png"]
    assert "part2" in done.said or "part2" in json.dumps(done.document)


@pytest.mark.parametrize(
    "name",
    [
        "JPEGImages",
        "SegmentationClass",
        "ImageSets",
        ".segprep-incomplete",
        "segprep.json",
        "records.jsonl",
    ],
)
@pytest.mark.parametrize("extra", [(), ("--overwrite",)])
def test_links_in_the_output_are_refused(tmp_path: Path, name: str, extra: tuple[str, ...]) -> None:
    """H3."""
    plain(tmp_path / "src", "a")
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "a.png").write_bytes(b"mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "victim")
    done = run("json2mask", tmp_path / "src", tmp_path / "out", *extra)
    assert done.code == 1
    assert "[link-in-output]" in done.said or "[tree-exists]" in done.said
    assert tree(tmp_path / "victim") == {"a.png": b"mine"}


@pytest.mark.parametrize(
    "name",
    [
        "class_names.txt",
        "labelmap.txt",
        ".class_names.txt.part",
        ".segprep.json.part",
        ".segprep.lock",
        "JPEGImages/a.png",
        "SegmentationClass/a.png",
        "JPEGImages/.a.png.part",
    ],
)
def test_links_at_single_files_are_never_followed(tmp_path: Path, name: str) -> None:
    """H3: refused or replaced, but what they point to stays."""
    plain(tmp_path / "src", "a")
    (tmp_path / "victim").write_bytes(b"mine")
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "victim")
    done = run("json2mask", tmp_path / "src", tmp_path / "out", "--overwrite")
    assert "Traceback" not in done.said
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_links_inside_the_staging_folder_are_never_followed(tmp_path: Path) -> None:
    plain(tmp_path / "src", "a")
    (tmp_path / "victim").mkdir()
    (tmp_path / "out" / ".segprep-incomplete").mkdir(parents=True)
    (tmp_path / "out" / ".segprep-incomplete" / "JPEGImages").symlink_to(tmp_path / "victim")
    (tmp_path / "victim" / "a.png").write_bytes(b"mine")
    run("json2mask", tmp_path / "src", tmp_path / "out")
    assert tree(tmp_path / "victim") == {"a.png": b"mine"}


def _overlaps(base: Path) -> dict[str, tuple[Path, Path]]:
    source = base / "src"
    (base / "link").symlink_to(source)
    (base / "holder").symlink_to(base)
    (source / "sub").mkdir()
    (base / "below").symlink_to(source / "sub")
    away = base.with_name(f"{base.name}-away")
    away.symlink_to(source)
    return {
        "same": (source, source),
        "out-in-source": (source, source / "out"),
        "out-deep-in-source": (source, source / "a" / "b" / "out"),
        "source-in-out": (source, base),
        "same-by-link": (source, base / "link"),
        "out-in-source-by-link": (source, base / "link" / "out"),
        "source-in-out-by-link": (source, base / "holder"),
        "source-is-link": (base / "link", source / "out"),
        "out-is-link-below-source": (source, base / "below"),
        "source-is-link-from-elsewhere": (away, base),
        "by-dots": (source, base / "x" / ".." / "src"),
        "by-dots-below": (source, source / "x" / ".." / "y"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "same",
        "out-in-source",
        "out-deep-in-source",
        "source-in-out",
        "same-by-link",
        "out-in-source-by-link",
        "source-in-out-by-link",
        "source-is-link",
        "out-is-link-below-source",
        "source-is-link-from-elsewhere",
        "by-dots",
        "by-dots-below",
    ],
)
@pytest.mark.parametrize("extra", [(), ("--overwrite",)])
def test_source_and_output_may_not_overlap(
    tmp_path: Path, name: str, extra: tuple[str, ...]
) -> None:
    """H4."""
    plain(tmp_path / "src", "a")
    source, out = _overlaps(tmp_path)[name]
    before = tree(tmp_path)
    done = run("json2mask", source, out, *extra)
    assert done.code == 2
    assert "[output-overlaps-source]" in done.said
    assert tree(tmp_path) == before


def test_image_root_and_output_may_not_overlap(tmp_path: Path) -> None:
    """H4: else --overwrite takes away the only copy of the images."""
    plain(tmp_path / "src", "a")
    (tmp_path / "src" / "a.png").unlink()
    (tmp_path / "out" / "JPEGImages").mkdir(parents=True)
    for stem in ("a", "only-copy"):
        (tmp_path / "out" / "JPEGImages" / f"{stem}.png").write_bytes(encoded())
    before = tree(tmp_path / "out")
    done = run(
        "json2mask",
        tmp_path / "src",
        tmp_path / "out",
        "--image-root",
        tmp_path / "out",
        "--overwrite",
    )
    assert tree(tmp_path / "out") == before
    assert done.code == 2


def test_hard_links_are_unharmed(tmp_path: Path) -> None:
    """H5: neither the source's images nor those of another dataset that shares them."""
    plain(tmp_path / "src", "a")
    before = tree(tmp_path / "src")
    assert run("json2mask", tmp_path / "src", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "JPEGImages" / "a.png").stat().st_nlink == 1
    (tmp_path / "shared").mkdir()
    for name in ("JPEGImages/a.png", "SegmentationClass/a.png", "segprep.json", "class_names.txt"):
        os.link(tmp_path / "out" / name, tmp_path / "shared" / Path(name).name)
        (tmp_path / "shared" / Path(name).name).rename(tmp_path / "shared" / name.replace("/", "-"))
    shared = tree(tmp_path / "shared")
    plain(tmp_path / "src", "a", encoded("PNG", "L"), shapes=[shape("dog")])
    assert run("json2mask", tmp_path / "src", tmp_path / "out").code == 0
    assert tree(tmp_path / "shared") == shared
    assert before != tree(tmp_path / "src")


def test_labels_that_look_alike_are_noted(tmp_path: Path) -> None:
    """H19."""
    for n, label in enumerate(
        ["cat", "Cat ", "c\u200bat", "café", "cafe\u0301", "d\u202eog", "dog"]
    ):
        plain(tmp_path / "src", f"s{n}", shapes=[shape(label)])
    done = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert done.code == 0
    assert done.document["classes"].count("café") == 1
    variants = [
        note["message"] for note in done.document["notes"] if note["code"] == "label-variant"
    ]
    assert len(variants) == 3
    assert not any(sign in done.said for sign in "\u200b\u202e")


def test_a_source_whose_name_is_no_text(tmp_path: Path) -> None:
    """H20: the folder itself has bytes that are not UTF-8."""
    source = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"src\xff")))
    plain(source, "a")
    done = run("json2mask", source, tmp_path / "out")
    assert "Traceback" not in done.said
    assert done.code == 0
    assert run("json2mask", source, tmp_path / "out").document["written"] is False


def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    """H28; as root everything can be read, so this drops its rights first."""
    plain(tmp_path / "src", "a")
    plain(tmp_path / "src", "locked").chmod(0)
    plain(tmp_path / "src" / "sub", "b")
    (tmp_path / "src" / "sub").chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if os.access(folder, os.W_OK):
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "mine").mkdir(mode=0o777)
    (tmp_path / "mine").chmod(0o777)
    prefix = (
        ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
    )
    if prefix and shutil.which("setpriv") is None:
        pytest.skip("running as root, and there is no setpriv")
    done = run(
        "json2mask",
        tmp_path / "src",
        tmp_path / "mine" / "out",
        "--on-error",
        "skip",
        prefix=prefix,
    )
    (tmp_path / "src" / "sub").chmod(0o755)
    if "No module named" in done.said or (
        "Permission denied" in done.said and "segprep" not in done.said
    ):
        pytest.skip("the environment cannot be read without root's rights")
    assert "Traceback" not in done.said
    assert "[unreadable]" in done.said
    assert "sub" in done.said or "locked" in done.said
