"""What the documents say is so: commands, options, names, links, codes, words."""

import ast
import importlib.util
import re
import tokenize
from pathlib import Path

import pytest
from documents import CHINESE, CODES_PAGE, README, ROOT, blocks, help_of, load
from PIL import Image
from segprep_cli.main import COMMANDS

import segprep
from segprep import sources, targets
from segprep.codes import CODES

GROUPS = {"convert": ["auto", *sources.names()], "export": targets.names()}
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MODULES = sorted(path for room in ("segprep", "cli") for path in (ROOT / room).rglob("*.py"))
FILES = {"segprep.json", "segprep.toml"}
GENERATED = {ROOT / "docs" / name for name in ("api.md", "commands.md")}  # by make docs, not kept
DOCUMENTS = [path for path in PAGES if path not in GENERATED]


def commands(path: Path) -> list[str]:
    """Every line of a fenced block that calls segprep."""
    lines = "\n".join(blocks(path)).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ segprep ")]


def options_of(*command: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", help_of(*command)))


def test_both_readmes_have_the_same_blocks() -> None:
    assert len(commands(README)) > 10
    assert blocks(README) == blocks(CHINESE)
    assert commands(README) == commands(CHINESE)


@pytest.mark.parametrize("path", [README, CHINESE], ids=["english", "chinese"])
def test_every_command_and_option_exists(path: Path) -> None:
    for line in commands(path):
        name = line.split()[1]
        assert name in COMMANDS, line
        sub = line.split()[1:3] if name in GROUPS else [name]
        assert set(re.findall(r"(?<=\s)--?[a-z][\w-]*", line)) <= options_of(*sub), line
    known = {"--version"}.union(
        *(options_of(name) for name in COMMANDS),
        *(options_of(group, name) for group, names in GROUPS.items() for name in names),
    )
    named = {
        option
        for code in re.findall(r"`([^`\n]+)`", path.read_text("utf-8"))
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)
    }
    assert named <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_line_that_calls_segprep_is_right(path: Path) -> None:
    """Indented, fenced or in backticks: the command exists, and each option is one of its own."""
    text = path.read_text("utf-8")
    lines = re.findall(r"^(?:    |\$ )\s*(segprep [a-z].*)$", text, re.M)
    lines += re.findall(r"^(segprep [a-z].*)$", "\n".join(blocks(path)), re.M)
    for line in lines + re.findall(r"`(segprep [a-z][^`\n]*)`", text):
        words = re.split(r"\s(?:#|->|\||>|&&)\s|   ", line)[0].split()
        name, *rest = words[1:]
        assert name in COMMANDS, line
        sub = [name, *rest[:1]] if name in GROUPS and rest and rest[0] in GROUPS[name] else [name]
        if name not in GROUPS or len(sub) == 2:
            named = {word.split("=")[0] for word in rest if re.match(r"--[a-z]", word)}
            own = options_of(*sub)
            if sub == ["convert", "auto"]:  # takes the options of the format that it detects
                own = own.union(*(options_of("convert", name) for name in sources.names()))
            assert named <= own, line


def test_the_terms_belong_to_modules_that_exist() -> None:
    rows = re.findall(r"^\| .* \| (.*) \|$", (ROOT / "CONTEXT.md").read_text("utf-8"), re.M)
    for name in re.findall(r"`([^`]+)`", "\n".join(rows)):
        if "/" in name:
            folder = ROOT / "segprep" / name.removesuffix("/")
            assert list(folder.parent.glob(folder.name + "*")), name
        elif not name.endswith((".json", ".jsonl")):
            home = ROOT / "segprep" / f"{name.rpartition('.')[0].replace('.', '/')}.py"
            typed = home.is_file() and f" {name.split('.')[-1]} = " in home.read_text("utf-8")
            assert exists(f"segprep.{name}") or typed, name  # or is for type checkers only


@pytest.mark.parametrize(
    "path", [*DOCUMENTS, *MODULES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_no_text_installs_segprep_from_pypi(path: Path) -> None:
    """It is not there yet: hints and documents install it from a clone."""
    assert not re.search(r"pip install (?:-\S+ )*['\"]?segprep\b", path.read_text("utf-8"))


@pytest.mark.parametrize("path", [README, CHINESE], ids=["english", "chinese"])
def test_the_tables_list_what_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    assert set(re.findall(r"^\| `segprep ([\w-]+)", text, re.M)) == set(COMMANDS)
    assert set(re.findall(r"^\| `([a-z][\w-]*)` \|", text, re.M)) == set(sources.names())
    shown = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)}
    assert shown == {
        int(code) for code in re.findall(r"\b(\d+) [a-z]", help_of().split("Exit codes:")[1])
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists() or target in GENERATED, link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def anchors(text: str) -> set[str]:
    """The names that the headings of a document have as link targets."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in plain}


def strings(path: Path) -> list[str]:
    """Every text in a module: messages, hints, help, docstrings; {} where an f-string fills in."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "{}" for v in node.values]
            texts.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return texts


def exists(dotted: str) -> bool:
    """Whether segprep.x.y names a module or something in one."""
    target: object = segprep
    names = dotted.split(".")
    for n, name in enumerate(names[1:], 1):
        try:
            target = getattr(target, name)
        except AttributeError:
            try:
                target = importlib.import_module(".".join(names[: n + 1]))
            except ImportError:
                return False
    return True


@pytest.mark.parametrize(
    "path", [*DOCUMENTS, *MODULES], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_what_a_text_names_exists(path: Path) -> None:
    """Modules and functions (segprep.x.y), files of the project, commands that a hint gives."""
    text = path.read_text("utf-8") if path.suffix == ".md" else "\n".join(strings(path))
    dotted = set(re.findall(r"(?<![\w./-])segprep(?:\.[a-zA-Z_]\w*)+", text)) - FILES
    assert not {name for name in dotted if not exists(name)}
    files = set(re.findall(r"(?<![\w./-])(?:segprep|cli|tests|docs|examples)/[\w./-]*\w", text))
    assert {name for name in files if not (ROOT / name).exists()} <= {
        "segprep/sources/indexed.py",  # the worked example of CONTRIBUTING
        "tests/sources/test_indexed.py",
    }
    named = re.findall(
        r"(?:\b(?:see|use|run|with|give|try)|->|[`;:,(])\s?segprep ([a-z][\w-]*)", text
    )
    assert set(named) <= {*COMMANDS, "annotate"}


def test_generated_parts_are_up_to_date() -> None:
    write = load(ROOT / "docs" / "write.py")
    for name, everywhere in write.READMES.items():
        text = (ROOT / name).read_text("utf-8")
        assert write.readme(text, everywhere) == text, "run: python docs/write.py"
    for line in write.command_lines():
        assert "segprep " + " ".join(line) in write.commands_page()


def test_formats_are_counted() -> None:
    number = len(sources.names())
    told = {
        "README.md": r"one of (\d+) dataset formats",
        "README.zh-CN.md": r"支持 (\d+) 种数据格式",
        "CHANGELOG.md": r"masks in (\d+) formats",
    }
    for name, pattern in told.items():
        told_number = re.findall(pattern, (ROOT / name).read_text("utf-8"))
        assert told_number == [str(number)], f"{name}: run: python docs/write.py"


def test_the_site_has_every_page_and_loads_nothing_from_elsewhere() -> None:
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = re.findall(r"^  - .*: ([\w.-]+\.md)$", config, re.M)
    there = {path.name for path in (ROOT / "docs").glob("*.md")} | {p.name for p in GENERATED}
    assert len(pages) == len(set(pages))
    assert set(pages) == there
    assert "font: false" in config
    write = load(ROOT / "docs" / "write.py")
    shown = set(re.findall(r"^::: segprep\.\S+\.(\w+)$", write.api_page(), re.M))
    assert set(segprep.__all__) - {"__version__"} <= shown


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_avoid_the_listed_phrases(path: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", path.read_text("utf-8"))
    assert not said(text), "tests/words.txt has better ones"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_messages_and_docstrings_avoid_the_listed_phrases(path: Path) -> None:
    assert not said(prose(path)), "tests/words.txt has better ones"


def said(text: str) -> dict[str, str]:
    """The phrases to avoid that *text* has, as words of their own, with better ones."""
    lines = (ROOT / "tests" / "words.txt").read_text("utf-8").splitlines()
    phrases = dict(line.split("->", 1) for line in lines)
    flat = " ".join(text.split())
    return {
        bad: better
        for bad, better in phrases.items()
        if re.search(rf"(?<!there )(?<![\w-]){re.escape(bad)}(?![\w-])", flat, re.I)
    }


def prose(path: Path) -> str:
    """What a module says: messages, help, docstrings and comments; no texts of a single word."""
    with path.open("rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return "\n".join([*(text for text in strings(path) if " " in text), *comments])


def test_make_targets_exist() -> None:
    made = (ROOT / "Makefile").read_text("utf-8")
    for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md"):
        for target in re.findall(
            r"(?:`|^    )make ([a-z]+)", (ROOT / name).read_text("utf-8"), re.M
        ):
            assert re.search(rf"^{target}:", made, re.M), target


def test_the_codes_page_is_the_registry() -> None:
    assert re.findall(r"^\| `([\w-]+)` \|", CODES_PAGE.read_text("utf-8"), re.M) == list(CODES)
    assert CODES_PAGE.read_text("utf-8") == load(ROOT / "docs" / "write.py").codes_page(), (
        "run: make docs"
    )


def test_the_readme_picture_is_small() -> None:
    path = ROOT / "docs" / "picture.png"
    assert path.stat().st_size < 150_000
    with Image.open(path) as picture:
        assert picture.width > 800
