"""Masks of class ids that went through JPEG: it smears ids along outlines into other ids."""

from pathlib import Path

from segprep.errors import SourceError

_JPEG = b"\xff\xd8\xff"
_HINT = (
    "export the masks again as PNG; masks of two classes: segprep convert binary --foreground; if"
    " their values are sound all the same, say what they mean: --ids VALUE=NAME,…"
)


def refuse_jpeg(data: bytes, path: Path, *, stated: bool) -> None:
    """Raise SourceError (values-unclear) where the mask *data* is a JPEG, unless the meaning of its
    values is *stated* one by one.
    """
    if data.startswith(_JPEG) and not stated:
        reason = "is a JPEG file, which keeps no class ids: along outlines it invents other ones"
        raise SourceError(path, reason, _HINT, "values-unclear")
