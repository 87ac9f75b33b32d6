"""Findings for other programs: SARIF 2.1.0 and GitHub's workflow commands."""

from collections.abc import Mapping, Sequence
from typing import Any

from segprep.types import Finding

LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(
    findings: Sequence[Finding], rules: Mapping[str, tuple[str, str]], version: str
) -> dict[str, Any]:
    """A SARIF log of one run; *rules* maps code to (title, explanation).

    Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/.
    """
    described = [
        {
            "id": code,
            "shortDescription": {"text": title},
            "fullDescription": {"text": text},
        }
        for code, (title, text) in rules.items()
    ]
    driver = {"name": "segprep", "version": version, "rules": described}
    results = [_result(finding) for finding in findings]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(finding: Finding) -> dict[str, Any]:
    text = finding.message + (f" -> {finding.hint}" if finding.hint else "")
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.stem}: {text}" if finding.stem else text},
    }
    if finding.path:
        result["locations"] = [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(finding.path)}}}
        ]
    if finding.score is not None:
        result["rank"] = round(max(0.0, min(100.0, finding.score)), 3)
    return result


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path.encode("utf-8", "surrogateescape"))


def workflow_commands(findings: Sequence[Finding]) -> list[str]:
    """Lines that GitHub shows as annotations.

    Source: GitHub Actions, workflow commands: values are escaped as %25, %0D, %0A, %3A and %2C.
    """
    names = {"error": "error", "warning": "warning", "info": "notice"}
    return [
        f"::{names[line.severity]} "
        + (f"file={_property(line.path)}," if line.path else "")
        + f"title={_property(line.code)}::"
        + _data(f"{line.stem + ': ' if line.stem else ''}{line.message}")
        for line in findings
    ]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
