"""labelme's own masks for labelme JSON files. Runs in labelme's environment, and shares no code
with segprep.

    LABELME_PYTHON labelme_masks.py JOBS.json OUT.npz

JOBS.json is ``[{"json": PATH, "values": {LABEL: VALUE}}, …]``. OUT.npz gets ``cls0``, ``ins0``,
``cls1``, … for the jobs that labelme drew, and ``errors``, one line per job: empty, or what labelme
raised, or that it crashed or took too long. Where labelme's reader is stricter than its drawing
(keys that old files lack, encodings) the file is read here instead.
"""

import base64
import json
import multiprocessing
import os
import sys
from importlib.metadata import version
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

SECONDS = 20.0  # per file; the slowest real one takes a tenth of a second
START = 120.0  # for importing labelme


class Worker:
    """A process that draws; it is replaced where labelme hangs or dies."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self.pipe, far = self._context.Pipe()
        self.process: BaseProcess = self._context.Process(target=serve, args=(far,), daemon=True)
        self.process.start()
        far.close()
        if not self.pipe.poll(START) or self.pipe.recv() != "ready":
            raise SystemExit("labelme could not be imported")

    def ask(self, job: dict[str, Any]) -> Any:
        """(cls, ins) of *job*, or text that says why there are none."""
        try:
            self.pipe.send(job)
            if self.pipe.poll(SECONDS):
                return self.pipe.recv()
            problem = f"timeout: no mask after {SECONDS:.0f} s"
        except (EOFError, OSError):
            problem = "crash: the process died"
        self.stop()
        self._start()
        return problem

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()


def serve(pipe: Connection) -> None:
    """Answer jobs until the other end goes."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from labelme import utils  # type: ignore[import-not-found, unused-ignore]

    pipe.send("ready")
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(masks(utils, Path(job["json"]), job["values"]))
        except Exception as error:  # whatever labelme raises is the finding
            pipe.send(f"{type(error).__name__}: {error}".replace("\n", " ")[:300])


def masks(labelme: Any, path: Path, values: dict[str, int]) -> Any:
    """What labelme paints for the file: class values and instance numbers."""
    content = loads(path.read_bytes())
    shapes = []
    for shape in content["shapes"]:
        bitmap = shape.get("mask")
        shapes.append(
            {
                **shape,
                "mask": None if bitmap is None else labelme.img_b64_to_arr(bitmap).astype(bool),
            }
        )
    return labelme.shapes_to_label(size(labelme, path, content), shapes, values)


def loads(data: bytes) -> Any:
    """JSON in UTF-8, with or without a mark, or in GB18030."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return json.loads(data.decode("gb18030"))


def size(labelme: Any, path: Path, content: dict[str, Any]) -> tuple[int, int]:
    """Height and width: as recorded, else of the embedded picture, else of the file."""
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if height is not None and width is not None:
        return int(height), int(width)
    named = path.parent / PureWindowsPath(content["imagePath"]).as_posix()
    data = (
        base64.b64decode(content["imageData"]) if content.get("imageData") else named.read_bytes()
    )
    picture = labelme.apply_exif_orientation(labelme.img_data_to_pil(data))
    return picture.height, picture.width


def main(jobs: Path, out: Path) -> None:
    """Draw all *jobs* and store the result."""
    arrays: dict[str, Any] = {}
    errors = []
    worker = Worker()
    for number, job in enumerate(json.loads(jobs.read_text(encoding="utf-8"))):
        answer = worker.ask(job)
        errors.append(answer if isinstance(answer, str) else "")
        if not errors[-1]:
            arrays |= {f"cls{number}": answer[0], f"ins{number}": answer[1]}
    worker.stop()
    versions = np.array([f"{name} {version(name)}" for name in ("labelme", "pillow", "numpy")])
    np.savez_compressed(out, errors=np.array(errors, dtype=np.str_), versions=versions, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
