"""Videos, by OpenCV: their frames, and pictures to a video, written beside its name and moved there
when it is whole.

A video's sides are even: MPEG knows no others, an odd one grows by a pixel.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import MissingExtraError, SegprepError, SourceError
from segprep.files import write_error

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
CODEC = "mp4v"  # MPEG-4 part 2: every build of OpenCV has it


@cache
def opencv() -> Any:
    """OpenCV, quiet. Raises MissingExtraError."""
    # the error below says it; FFmpeg need not say it, too
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("reading videos", "OpenCV", "video") from error
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


@dataclass(frozen=True, slots=True)
class Film:
    """A video's *count* of frames (0: unknown), *rate* a second, and size."""

    count: int
    rate: float
    height: int
    width: int


def film(path: Path) -> Film:
    """The header of the video at *path*. Raises SourceError (bad-video), MissingExtraError."""
    cv2 = opencv()
    held = _open(path)
    try:
        count, rate = int(held.get(cv2.CAP_PROP_FRAME_COUNT)), float(held.get(cv2.CAP_PROP_FPS))
        height = int(held.get(cv2.CAP_PROP_FRAME_HEIGHT))
        width = int(held.get(cv2.CAP_PROP_FRAME_WIDTH))
    finally:
        held.release()
    if height < 1 or width < 1:
        raise _broken(path, f"its frames are {width}x{height} pixels")
    return Film(
        max(count, 0), rate if np.isfinite(rate) and 0 < rate <= 1000 else 25.0, height, width
    )


def frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """The frames (H, W, 3) of the video at *path*, RGB.

    Raises SourceError (bad-video) if there is none, MissingExtraError.
    """
    cv2 = opencv()
    held = _open(path)
    count = 0
    try:
        while (read := held.read())[0]:
            count, frame = count + 1, read[1]
            yield np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    finally:
        held.release()
    if not count:
        raise _broken(path, "not one frame of it can be decoded")


def _open(path: Path) -> Any:
    cv2 = opencv()
    if path.stat().st_size == 0:
        raise SourceError(path, "has 0 bytes", "restore it from its origin", "empty-file")
    held = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not held.isOpened():
        raise _broken(path, "is not a video that OpenCV can read")
    return held


def _broken(path: Path, reason: str) -> SourceError:
    return SourceError(
        path,
        reason,
        "convert it with ffmpeg -i VIDEO -c:v libx264 new.mp4, or give its frames as a folder of"
        " images",
        "bad-video",
    )


class Projector:
    """Writes frames (H, W, 3) RGB to *path* (.mp4).

    Raises SegprepError (bad-video, write-failed).
    """

    def __init__(self, path: Path, film: Film) -> None:
        cv2 = opencv()
        self.path, self.part = path, path.with_name(f".{path.stem}.part.mp4")
        self.held: Any = cv2.VideoWriter(
            str(self.part),
            cv2.CAP_FFMPEG,
            cv2.VideoWriter_fourcc(*CODEC),
            film.rate,
            (film.width + film.width % 2, film.height + film.height % 2),
        )
        if not self.held.isOpened():
            reason = f"{path} cannot be written as a video of {film.width}x{film.height} pixels"
            raise SegprepError("bad-video", reason, "use --mode ids: a PNG for every frame")

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Append one frame."""
        odd = ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0))
        self.held.write(np.ascontiguousarray(np.pad(frame[:, :, ::-1], odd, mode="edge")))

    def __enter__(self) -> "Projector":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.held.release()
        try:
            if error is None:
                os.replace(self.part, self.path)
            else:
                self.part.unlink(missing_ok=True)
        except OSError as refused:
            raise write_error(self.path, refused) from refused
