"""The command line: help, JSON documents, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from segprep_cli import main

from segprep import limits


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main.group, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    shown = run(name, "--help").stdout
    assert f"segprep {name}" in shown or name == "convert"
    command = main.group.get_command(None, name)
    assert command
    if name not in ("json2mask", "convert"):
        assert command.get_short_help_str(200) == main.COMMANDS[name]


def test_json2mask_is_convert_labelme() -> None:
    names = [[p.name for p in main.group.get_command(None, name).params] for name in ("json2mask",)]
    convert = main.group.get_command(None, "convert")
    assert names == [[p.name for p in convert.get_command(None, "labelme").params]]


def test_the_documents_have_their_keys(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (source / "bad.json").write_text("{")
    done = run("json2mask", source, out, "--json", "-q", "-j", 1)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["skipped"][0]["code"] == "bad-json"
    assert not (out / "segprep.json").exists()
    done = run("json2mask", source, out, "--json", "-q", "-j", 1, "--on-error", "skip")
    assert done.exit_code == 3
    content = json.loads(done.stdout)
    assert content["converted"] == 12
    assert content["classes"] == ["_background_", "cat", "cow", "dog"]
    assert [set(one) >= {"stem", "path", "code", "reason"} for one in content["skipped"]] == [True]
    content = json.loads(run("split", out, "--seed", 1, "--json").stdout)
    assert (content["seed"], content["ratio"], content["counts"]) == (
        1,
        "70/20/10",
        {"train": 8, "val": 2, "test": 2},
    )
    content = json.loads(run("info", out, "--json").stdout)
    assert (content["images"], content["lists"]["train"]) == (12, 8)


def test_exit_codes(source: Path, tmp_path: Path) -> None:
    assert run("json2mask", source, tmp_path / "out", "-q").exit_code == 0
    assert run("json2mask", source, tmp_path / "out").exit_code == 0
    assert run("json2mask", source, source / "out").exit_code == 2
    assert run("json2mask", tmp_path / "nowhere", tmp_path / "x").exit_code == 2
    assert run("split", tmp_path / "nowhere").exit_code == 2
    assert run("split", tmp_path / "out").exit_code == 0
    again = run("split", tmp_path / "out")
    assert again.exit_code == 1
    assert "[lists-exist]" in again.stderr
    assert "--overwrite" in again.stderr
    assert run("info", tmp_path).exit_code == 0  # the one tree right below


def test_a_dry_run_writes_nothing(source: Path, tmp_path: Path) -> None:
    shown = run("json2mask", source, tmp_path / "out", "-n")
    assert "12 samples would be converted" in shown.stdout
    assert not (tmp_path / "out").exists()


def test_a_wrong_command_suggests_the_nearest() -> None:
    shown = run("splt")
    assert shown.exit_code == 2
    assert "Did you mean split?" in shown.stderr


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("auto", "segprep convert auto"),
        ("coco", "segprep convert coco or segprep export coco"),
        ("nnunet", "segprep export nnunet"),
    ],
)
def test_a_format_in_place_of_a_command_names_its_command(name: str, commands: str) -> None:
    shown = run(name, "before", "out")
    assert shown.exit_code == 2
    assert f"Did you mean {commands}?" in shown.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("export", "coco", "tree", "out"), "segprep export TARGET OUT -d DATASET"),
        (("view", "tree", "page.html"), "segprep view DATASET --out FILE"),
        (("predict", "net.pt", "photos", "out"), "--out OUT"),
    ],
)
def test_one_argument_too_many_says_where_it_belongs(words: tuple[str, ...], hint: str) -> None:
    result = CliRunner().invoke(main.group, words)
    assert result.exit_code == 2
    assert hint in result.output
    assert limits.current() == limits.Limits()


def test_a_dry_run_ends_as_the_real_run_would(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.json").write_text('{"shapes": 3, "imagePath": "x.jpg"}')
    for on_error in ("stop", "skip"):
        codes = [
            CliRunner()
            .invoke(
                main.group,
                [
                    "json2mask",
                    str(tmp_path / "in"),
                    str(tmp_path / on_error),
                    "--on-error",
                    on_error,
                    *dry,
                ],
            )
            .exit_code
            for dry in (["-n"], [])
        ]
        assert codes == [1, 1]


@pytest.mark.parametrize("before", ["", "if multiprocessing.parent_process(): sys.exit(0)\n"])
def test_a_script_without_a_main_guard_ends_with_one_error(tmp_path: Path, before: str) -> None:
    """Also where each worker ends as if all were well, having done what the script does."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import multiprocessing, sys, threading, segprep.engine\n{before}"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "print(len(list(segprep.engine.run(abs, list(range(200)), jobs=2))))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode != 0
    assert "the worker processes ended before their first item" in done.stderr


@pytest.mark.parametrize("command", ["info", "verify", "check", "stats"])
def test_a_path_that_is_too_long_is_told_as_such(command: str) -> None:
    done = run(command, "x" * 5000)
    assert done.exit_code == 2
    assert "free space" not in done.output


def test_an_empty_group_by_is_no_default(source: Path, tmp_path: Path) -> None:
    run("json2mask", source, tmp_path / "out")
    done = run("split", tmp_path / "out", "--group-by", "")
    assert done.exit_code == 2
    assert "bad-group" in done.output


EARLY = """
from segprep_cli import main

def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt

main.click.Group.{method} = interrupted
main.main()
"""


@pytest.mark.parametrize("method", ["parse_args", "resolve_command"])
def test_an_interrupt_before_the_command_begins_ends_as_any(method: str) -> None:
    code = EARLY.replace("{method}", method)
    done = subprocess.run([sys.executable, "-c", code, "info"], capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (130, False)
