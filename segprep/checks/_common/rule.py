"""A rule's own facts: code, severity, and how it makes a finding."""

from dataclasses import dataclass

from segprep.types import Finding, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """*code* is stable; *severity* is the usual one; *fix* is the command of ``--fix`` that cures
    it, if there is a safe one; *readers* is True for a rule that runs with ``--reader`` only,
    *each* for one that judges every sample by itself, and so may be shown a few at a time.
    """

    code: str
    severity: Severity
    fix: str = ""
    readers: bool = False
    each: bool = False

    def finding(
        self,
        stem: str,
        path: str,
        message: str,
        hint: str = "",
        *,
        score: float | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this rule."""
        return Finding(self.code, severity or self.severity, stem, path, message, hint, score)
