"""The same command again: nothing is redone, what changed is, and nothing is lost."""

import json
import os
from pathlib import Path

from conversion.interrupted import (
    cli,
    content,
    converted,
    sample,
    samples,
)


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def lists(out: Path) -> dict[str, list[str]]:
    return {
        path.stem: path.read_text().split("\n")[:-1]
        for path in (out / "ImageSets" / "Segmentation").glob("*.txt")
    }


def test_errors_stop_then_fixed_then_on(tmp_path: Path) -> None:
    source = samples(tmp_path / "src", 6)
    good = (source / "s003.json").read_bytes()
    (source / "s003.json").write_bytes(good[:-9])
    result = cli("json2mask", source, tmp_path / "out", "-j", "1")
    assert result.exit_code == 1
    assert "s003.json" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".segprep-incomplete"]
    staged = times(tmp_path / "out" / ".segprep-incomplete" / "SegmentationClass")
    (source / "s003.json").write_bytes(good)
    assert converted(source, tmp_path / "out") == tmp_path / "out"
    kept = times(tmp_path / "out" / "SegmentationClass")
    assert all(
        kept[path.replace(".segprep-incomplete/", "")] == when
        for path, when in staged.items()
        if path.endswith(".png")
    )
    assert content(tmp_path / "out") == content(converted(source, tmp_path / "clean"))


def test_nothing_changed_nothing_written(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 4), tmp_path / "out"
    converted(source, out)
    cli("split", out, "--seed", "1")
    before = times(out)
    for jobs in ("1", "2"):
        result = cli("json2mask", source, out, "-j", jobs)
        assert result.exit_code == 0
        assert "unchanged" in result.stdout
    for path in source.iterdir():
        os.utime(path, (0, 0))  # a time is not a change
    assert cli("json2mask", source, out, "-j", "1").exit_code == 0
    assert times(out) == before


def test_skipped_inputs_do_not_make_every_run_write(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    (source / "coco.json").write_text('{"images": []}')
    converted(source, out)
    before = times(out)
    assert cli("json2mask", source, out, "-j", "1").exit_code == 0
    assert times(out) == before


def test_skipping_again_exits_3_and_keeps_the_bytes(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    (source / "bad.json").write_text("{")
    for _ in range(2):
        assert cli("json2mask", source, out, "-j", "1", "--on-error", "skip").exit_code == 3
        first = content(out)
    assert content(out) == first
    before = content(out)
    assert (
        cli("json2mask", source, out, "-j", "1").exit_code == 1
    )  # stop publishes nothing, and harms nothing
    assert {
        name: data
        for name, data in content(out).items()
        if not name.startswith(".segprep-incomplete")
    } == before


def test_new_and_changed_files_then_split_update(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 20), tmp_path / "out"
    converted(source, out)
    assert cli("split", out, "--seed", "1").exit_code == 0
    (out / "runs" / "one").mkdir(parents=True)
    (out / "runs" / "one" / "log.txt").write_text("mine")
    old, images = lists(out), times(out / "JPEGImages")
    sample(source, "new", 3)
    sample(source, "s007", 99)
    converted(source, out)
    assert lists(out) == old
    assert (out / "runs" / "one" / "log.txt").read_text() == "mine"
    changed = {
        Path(path).name
        for path, when in times(out / "JPEGImages").items()
        if images.get(path) != when
    }
    assert changed == {"JPEGImages", "new.png", "s007.png"}
    assert json.loads((out / "segprep.json").read_bytes())["split"]["seed"] == 1
    assert cli("split", out, "--update").exit_code == 0
    for name, stems in old.items():
        assert [stem for stem in lists(out)[name] if stem != "new"] == stems
    assert sum("new" in lists(out)[name] for name in ("train", "val", "test")) == 1
    clean = converted(source, tmp_path / "clean")
    same = [name for name in content(clean) if name != "segprep.json"]
    assert [content(out)[name] for name in same] == [content(clean)[name] for name in same]


def test_a_vanished_source_is_named_and_taken_out(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 10), tmp_path / "out"
    converted(source, out)
    cli("split", out, "--seed", "1")
    home = next(name for name in ("train", "val", "test") if "s004" in lists(out)[name])
    (source / "s004.json").unlink()
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 0
    assert "[source-vanished]" in result.stderr
    assert "s004" in result.stderr
    assert not [name for name in content(out) if "s004" in name]
    assert not [name for name, stems in lists(out).items() if "s004" in stems]
    assert b"s004" not in (out / "records.jsonl").read_bytes()
    sample(source, "s004", 4)  # back again: to the list it was in
    converted(source, out)
    assert cli("split", out, "--update").exit_code == 0
    assert "s004" in lists(out)[home]


def test_an_input_that_turned_bad_keeps_the_old_tree(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 4), tmp_path / "out"
    before = content(converted(source, out))
    (source / "s001.json").write_text("{")
    assert cli("json2mask", source, out, "-j", "1").exit_code == 1
    assert {
        name: data
        for name, data in content(out).items()
        if not name.startswith(".segprep-incomplete")
    } == before


def test_a_new_class_is_appended_and_a_fresh_tree_of_that_list_is_the_same(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 4), tmp_path / "out"
    converted(source, out)
    cli("split", out, "--seed", "1")
    old = lists(out)
    sample(source, "a", label="ant")
    result = cli("json2mask", source, out, "-j", "1")
    assert "[classes-changed]" in result.stderr
    clean = content(converted(source, tmp_path / "clean", "--classes", "_background_,cat,ant"))
    described = ("segprep.json", "records.jsonl")
    assert {
        name: data for name, data in content(out).items() if name in clean and name not in described
    } == {name: data for name, data in clean.items() if name not in described}
    assert lists(out) == old
