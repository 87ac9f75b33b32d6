"""Write what is generated below docs/: codes.md from the registry, picture.png from the bundled
example. Run by ``make docs``.
"""

import importlib.util
import tempfile
from pathlib import Path

import segprep
from segprep import checks
from segprep.codes import CODES

HERE = Path(__file__).resolve().parent


def codes_page() -> str:
    """The page that lists every code."""
    head = (
        "# Codes\n\nEvery error, every input that is left out and every note carries one of these"
        " words in brackets, in `--json` as `code`.\nA code keeps its meaning; new ones may be"
        " added. `make docs` writes this page from `segprep/errors.py`.\n\n| code | meaning"
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
    (HERE / "codes.md").write_text(codes_page(), encoding="utf-8", newline="\n")
    page = HERE / "check.md"
    page.write_text(check_page(page.read_text("utf-8")), encoding="utf-8", newline="\n")
    picture(HERE / "picture.png")
