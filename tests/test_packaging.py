"""What is installed, by wheel and in place: cli/ as segprep_cli, nothing else at the top."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]


def python(*arguments: str, **options: object) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def test_the_packages_list_names_every_folder() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "segprep").rglob("*.py")
    }
    folders |= {
        ".".join(("segprep_cli", *path.parent.relative_to(ROOT / "cli").parts))
        for path in (ROOT / "cli").rglob("*.py")
    }
    assert sorted(listed) == sorted(folders)


COMPILER = shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0])


@pytest.mark.parametrize("compiler", [COMPILER, "/bin/false"])
@pytest.mark.parametrize("how", ["--target", "--editable"])
def test_installed(
    tmp_path: Path, how: str, compiler: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built from a copy, without the network; the installed package runs far from the sources, with
    the kernel or, where no compiler works, without.
    """
    if compiler is None:
        pytest.skip("no C compiler")
    monkeypatch.setenv("CC", compiler)
    monkeypatch.delenv("SEGPREP_KERNEL", raising=False)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("segprep", "cli"):
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and path.suffix not in (".pyc", ".so"):
                target = copy / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    place = tmp_path / "site"
    quick = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--ignore-installed",
        "--disable-pip-version-check",
    ]
    where = (
        ["--target", str(place), str(copy)]
        if how == "--target"
        else ["--prefix", str(tmp_path / "prefix"), "--editable", str(copy)]
    )
    python(*quick, *where)
    if how == "--editable":
        place = next((tmp_path / "prefix").rglob("site-packages"))
    code = (
        f"import site, sys; site.addsitedir({str(place)!r}); sys.path.insert(0, {str(place)!r});"
        " import segprep, segprep_cli, importlib.util as u; from segprep import kernel; "
    )
    code += (
        "print([segprep.__file__, segprep_cli.__file__, u.find_spec('cli') is None, kernel.used()])"
    )
    shown = (
        python("-I", "-S", "-c", code, cwd=tmp_path)
        .strip()
        .replace("'", '"')
        .replace("True", "true")
        .replace("False", "false")
    )
    library, command, alone, used = json.loads(shown)
    home = place if how == "--target" else copy
    assert Path(library).is_relative_to(home)
    assert Path(command).is_relative_to(home)
    assert alone
    assert used == ("compiled kernel" if compiler == COMPILER else "NumPy")
    assert (Path(library).parent / "py.typed").is_file()


@pytest.mark.parametrize(
    "code",
    [
        "import segprep",
        "from segprep_cli.main import group; group(['--help'], standalone_mode=False)",
    ],
)
def test_light(code: str) -> None:
    heavy = {"numpy", "PIL", "rich", "isal", "filelock", "sklearn", "matplotlib", "torch"}
    loaded = set(
        python("-c", f"{code}\nimport sys; print('MODULES', *sys.modules)")
        .split("MODULES ")[1]
        .split()
    )
    assert not heavy & loaded


def test_miou_starts_without_what_only_workers_and_pages_need(tmp_path: Path) -> None:
    for name in ("truth", "pred"):
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new("L", (4, 4), number).save(tmp_path / name / f"{number}.png")
    command = ["miou", str(tmp_path / "pred"), "--truth", str(tmp_path / "truth"), "--classes", "2"]
    command += ["--jobs", "1"]  # where an item takes long, on a busy machine, workers are started
    code = f"from segprep_cli.main import group; group({command}, standalone_mode=False)"
    shown = python("-c", f"{code}\nimport sys; print('MODULES', *sys.modules)").split("MODULES ")
    unneeded = {"multiprocessing", "filelock", "numpy.ma", "PIL.ImageDraw", "concurrent.futures"}
    assert not unneeded & set(shown[1].split())


REPORT = {"matplotlib", "scipy", "contourpy", "kiwisolver", "fontTools", "cycler"}
WITHOUT = f"""
import sys
sys.modules.update(dict.fromkeys({sorted(REPORT)}))  # importing one of them is an ImportError
from segprep_cli.main import main
main()
"""


def without_report(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_core_runs_without_the_report_extra(source: Path) -> None:
    for line in (
        "json2mask before out -j 1",
        "convert auto before auto -j 1",
        "split out --seed 1 --stratify pixels",
        "info out",
        "remap out merged --map cat=dog -j 1",
        "export voc voc -d out",
        "export keras keras -d out",
        "miou out/SegmentationClass --truth out/SegmentationClass --classes 4 -j 1",
    ):
        done = without_report(*line.split(), cwd=source.parent)
        assert done.returncode == 0, (line, done.stderr)
    assert '"miou": 1.0' in without_report(*line.split(), "--json", cwd=source.parent).stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--out scores", "charts (--out) needs matplotlib"),
        ("--boundary", "boundary scores (--boundary) needs scipy"),
        ("--compat isbi", "the Rand error (--compat) needs scipy"),
    ],
)
def test_what_needs_the_report_extra_says_so_at_once(
    source: Path, options: str, reason: str
) -> None:
    masks = source.parent / "masks"
    masks.mkdir()
    Image.new("L", (8, 6), 1).save(masks / "a.png")
    line = f"miou masks --truth masks --classes 2 {options}"
    done = without_report(*line.split(), cwd=source.parent)
    assert done.returncode == 1, done.stderr
    assert f"[missing-extra]: {reason}" in done.stderr
    assert "in your clone of segprep: python -m pip install '.[report]'" in done.stderr
    assert not (source.parent / "scores").exists()


def test_hints_name_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = set()
    for path in (*(ROOT / "segprep").rglob("*.py"), *(ROOT / "cli").rglob("*.py")):
        text = path.read_text("utf-8")
        named |= set(
            re.findall(
                r"(?:MissingExtraError|require)\([^()]*(?:\([^()]*\))?[^()]*\"(\w+)\"\)", text
            )
        )
        assert "pip install '" not in text or path.name == "errors.py", path
    assert named
    extras = set(project["optional-dependencies"])
    assert named <= extras
    for name in ("README.md", "README.zh-CN.md"):
        assert (
            set(re.findall(r"^\| `\.\[(\w+)\]` \|", (ROOT / name).read_text("utf-8"), re.M))
            == extras
        )
    assert not {"matplotlib", "scipy"} & {
        re.split(r"\W", line)[0] for line in project["dependencies"]
    }
