"""Write what is generated in the documents. Run by ``make docs``.

docs/codes.md is written from the registry, docs/check.md's table from the rules, docs/commands.md
from every ``--help``, docs/api.md from the public names (docstrings come in when the site is
built), the READMEs' table of shared options from the commands, picture.png from the bundled
example.
"""

import importlib.util
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import click
from click.testing import CliRunner
from segprep_cli.main import COMMANDS, group

import segprep
from segprep import checks, sources, targets
from segprep.codes import CODES

HERE = Path(__file__).resolve().parent
READMES = {"README.md": "all", "README.zh-CN.md": "全部"}
GROUPS = {"convert": ("auto", *sources.names()), "export": tuple(targets.names())}
SHARED = (
    "--json",
    "--jobs",
    "--quiet",
    "--verbose",
    "--no-progress",
    "--dry-run",
    "--overwrite",
    "--on-error",
    "--classes",
    "--seed",
)


def codes_page() -> str:
    """The page that lists every code."""
    head = (
        "# Codes\n\nEvery error, every skipped input and every note carries one of these words in"
        " brackets, in `--json` as `code`.\nA code keeps its meaning; new ones may be added."
        " `docs/write.py` writes this page from `segprep/codes.py`.\n\n| code | meaning"
        " |\n|---|---|\n"
    )
    return head + "".join(f"| `{code}` | {meaning} |\n" for code, meaning in CODES.items())


def rules_table() -> str:
    """The table of all rules of ``segprep check``, from their modules."""
    rows = [
        f"| `{code}` | {rule.RULE.severity} | {checks.title(rule)} |\n"
        for code, rule in checks.rules().items()
    ]
    return "| code | severity | finds |\n|---|---|---|\n" + "".join(rows)


def check_page(text: str) -> str:
    """docs/check.md, *text*, with today's table of rules."""
    head, _, rest = text.partition("## Rules\n\n")
    return f"{head}## Rules\n\n{rules_table()}" + rest[rest.find("\n## ") :] * ("\n## " in rest)


@cache
def help_of(*command: str) -> str:
    """What ``segprep COMMAND --help`` prints."""
    result = CliRunner().invoke(group, [*command, "--help"], prog_name="segprep", terminal_width=84)
    assert result.exit_code == 0, result.output
    return result.output


def command_lines() -> Iterator[tuple[str, ...]]:
    """Every command, each format of ``convert`` and each target of ``export`` by itself."""
    for name in COMMANDS:
        yield (name,)
        yield from ((name, member) for member in GROUPS.get(name, ()))


def options() -> Mapping[str, set[str]]:
    """The options of each command; of a group, those that all its members have. ``convert auto``
    has those of the format that it detects.
    """
    found = {}
    for name in COMMANDS:
        members = [member for member in GROUPS.get(name, ()) if member != "auto"]
        texts = [help_of(name, member) for member in members] or [help_of(name)]
        found[name] = set.intersection(
            *(set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text)) for text in texts)
        )
    return found


def shared_options(everywhere: str) -> str:
    """The rows of the READMEs' table of options that several commands share."""
    rows = dict[str, list[str]]()
    for option in SHARED:
        having = [name for name, found in options().items() if option in found]
        cell = everywhere if len(having) == len(COMMANDS) else ", ".join(f"`{n}`" for n in having)
        rows.setdefault(cell, []).append(f"`{option}`")
    return "".join(f"| {', '.join(named)} | {cell} |\n" for cell, named in rows.items())


def readme(text: str, everywhere: str) -> str:
    """*text* with its table of shared options and its number of formats as they are now."""
    table = re.compile(r"(^\| (?:option|选项) \|.*\n\|---\|---\|\n)(?:\|.*\n)*", re.M)
    text = table.sub(lambda match: match[1] + shared_options(everywhere), text)
    return counted(text)


def counted(text: str) -> str:
    """*text* with the number of formats as it is now."""
    phrases = r"(one of |masks in |支持 )\d+( dataset formats| formats| 种数据格式)"
    return re.sub(phrases, rf"\g<1>{len(sources.names())}\g<2>", text)


def commands_page() -> str:
    """The page that shows every ``--help``."""
    parts = ["# Commands\n\nWhat `--help` prints, command by command.\n"]
    for line in command_lines():
        title = "#" * (len(line) + 1) + " segprep " + " ".join(line)
        parts.append(f"{title}\n\n```text\n{click.unstyle(help_of(*line)).rstrip()}\n```\n")
    return "\n".join(parts)


def api_page() -> str:
    """The page of the Python API, whose docstrings mkdocstrings puts in."""
    parts = ["# Python API\n\nEvery command is a function; keyword arguments match option names.\n"]
    for name in sorted(set(segprep.__all__) - {"__version__"}, key=str.lower):
        parts.append(f"::: segprep.{segprep._HOMES[name]}.{name}\n")
    parts += ["## Errors\n", "::: segprep.errors\n", "## Types\n", "::: segprep.types\n"]
    return "\n".join(parts)


def picture(path: Path) -> None:
    """The README's picture: two samples of each list."""
    spec = importlib.util.spec_from_file_location("demo", HERE.parent / "examples" / "demo.py")
    assert spec
    assert spec.loader
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "shapes"
        segprep.convert("labelme", HERE.parent / "examples" / "shapes", out)
        segprep.split(out, seed=1)
        demo.sheet(out, (176, 132), most=2).quantize(256, kmeans=4, dither=0).save(
            path, optimize=True
        )


if __name__ == "__main__":
    pages = {"codes.md": codes_page(), "commands.md": commands_page(), "api.md": api_page()}
    for name, content in pages.items():
        (HERE / name).write_text(content, encoding="utf-8", newline="\n")
    for name, everywhere in READMES.items():
        path = HERE.parent / name
        path.write_text(readme(path.read_text("utf-8"), everywhere), "utf-8", newline="\n")
    path = HERE.parent / "CHANGELOG.md"
    path.write_text(counted(path.read_text("utf-8")), "utf-8", newline="\n")
    page = HERE / "check.md"
    page.write_text(check_page(page.read_text("utf-8")), encoding="utf-8", newline="\n")
    picture(HERE / "picture.png")
