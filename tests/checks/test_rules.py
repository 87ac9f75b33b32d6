"""Every rule: described, found by its file, silent on clean scenes, and loud on its fault."""

import re
from pathlib import Path

import faults
import matrix
import pytest
import scenes

import segprep
from segprep import checks
from segprep.errors import UsageError

FAULTS = {
    f"{fault.name}, {scope}": (fault, scope)
    for fault in faults.STRUCTURAL
    for scope in fault.scopes
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scenes.make(tmp_path_factory.mktemp("scenes") / "clean").root


@pytest.fixture(scope="module")
def before(clean: Path):
    return segprep.check(clean)


def test_codes_are_unique_and_described() -> None:
    for code, _rule in checks.rules().items():
        assert re.fullmatch(r"SEG[1-8]\d\d", code)
        text = checks.explain(code)
        assert all(word in text for word in ("Why:", "Fix:", "Source:")), code
    modules = {path.stem for path in Path(checks.__file__).parent.glob("[a-z]*.py")}
    assert len(modules) == len(checks.rules())


def test_clean_scenes_have_no_findings(before) -> None:
    assert [one for one in before.findings if one.severity != "info"] == []


@pytest.mark.parametrize("name", FAULTS)
def test_structural_faults_are_found_with_their_cause(name: str, clean, before, tmp_path) -> None:
    fault, scope = FAULTS[name]
    found = matrix.score(fault, matrix.copy(clean, tmp_path / "spoiled"), before, scope, seed=1)
    assert found.spoiled
    assert found.right == found.spoiled
    assert not found.alarms


def test_codes_can_be_chosen(clean) -> None:
    ran = segprep.check(clean, select=["SEG3", "SEG101"], ignore=["SEG302"]).rules
    assert "SEG101" in ran
    assert "SEG302" not in ran
    assert all(code == "SEG101" or code.startswith("SEG3") for code in ran)
    with pytest.raises(UsageError, match="SEG9"):
        segprep.check(clean, select=["SEG9"])


def test_the_page_lists_every_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text("utf-8")
    rows = re.findall(r"^\| `(SEG\d+)` \| (\w+) \| (.+) \|$", page, re.M)
    rules = checks.rules()
    listed = [(code, rule.RULE.severity, checks.title(rule)) for code, rule in rules.items()]
    assert rows == listed, "run: make docs"
