"""Rules: one module each, found by its file name. A module's docstring says what, why, how to fix
and the source; ``RULE`` is its code and severity, ``find(survey)`` yields its findings.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, cast

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.errors import UsageError
from segprep.names import unknown
from segprep.types import Finding


class Check(Protocol):
    """A rule's module."""

    RULE: Rule
    __name__: str
    __doc__: str | None

    def find(self, survey: Survey) -> Iterator[Finding]:
        """The findings of this rule."""


@cache
def rules() -> dict[str, Check]:
    """Every rule by its code, in order of the codes."""
    modules = [
        cast("Check", import_module(f"{__name__}.{module.name}"))
        for module in iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    return {
        check.RULE.code: check for check in sorted(modules, key=lambda module: module.RULE.code)
    }


def title(check: Any) -> str:
    """The first line of the rule's docstring, without its full stop."""
    return (check.__doc__ or "").strip().split("\n")[0].rstrip(".")


def explain(code: str) -> str:
    """What the rule *code* finds, why it matters, how to fix it, and the source.

    Raises UsageError for an unknown code.
    """
    code = code.upper()
    if code not in rules():
        raise UsageError("unknown-rule", *unknown("rule", code, rules()))
    check = rules()[code]
    return f"{code} ({check.RULE.severity}): {(check.__doc__ or '').strip()}"


def chosen(select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> list[Check]:
    """The rules whose code starts with one of *select* (all without any) and with none of *ignore*,
    in upper or lower case.

    Raises UsageError for a code that starts no rule's.
    """
    select, ignore = (tuple(code.upper() for code in codes) for codes in (select, ignore))
    for code in (*select, *ignore):
        if not code or not any(rule.startswith(code) for rule in rules()):
            raise UsageError(
                "unknown-rule",
                f"no rule's code starts with {code!r}",
                "segprep check --explain all lists the rules",
            )
    return [
        check
        for code, check in rules().items()
        if (not select or code.startswith(select)) and not (ignore and code.startswith(ignore))
    ]
