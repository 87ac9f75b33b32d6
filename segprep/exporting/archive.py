"""An export as one zip file, made in a hidden folder beside it, moved to its place by one rename.

Equal input gives equal bytes: members are sorted and have no times of their own. Images and masks
are stored as they are (both are compressed already), texts are deflated. The file's comment is the
digest of all that is before it.
"""

import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from segprep.dataset.manifest import SEAL
from segprep.errors import TreeError, UsageError
from segprep.exporting.publish import MARKER, Outbox
from segprep.files import digest_file, sync_file, sync_folder, write_error, write_staged
from segprep.writer import Product

_TEXTS = (".json", ".jsonl", ".txt", ".yaml", ".py", ".xml", ".md", ".csv", ".geojson")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold


@dataclass(frozen=True, slots=True)
class Archive(Outbox):
    """The zip file *out* (a real path) and the hidden folder beside it."""

    def check(self, root: Path, overwrite: bool) -> None:
        """Raise UsageError or TreeError if anything but an earlier export is in the way."""
        if self.out.suffix.lower() != ".zip":
            raise UsageError(
                "bad-option", f"{self.out.name} does not end in .zip", "name a file: OUT.zip"
            )
        if self.out.is_relative_to(root):
            raise UsageError(
                "output-overlaps-source",
                f"the output {self.out} lies in the dataset {root}",
                "choose an output beside the dataset",
            )
        if os.path.islink(self.hidden):
            raise TreeError(
                "link-in-output",
                f"{self.hidden} is a symbolic link; files would land where it points",
                "remove the link",
            )
        if not self.out.exists():
            return
        if not self._is_export():
            raise TreeError(
                "output-occupied", f"{self.out} is not an export", "choose another OUT.zip"
            )
        if not overwrite:
            raise TreeError(
                "output-occupied",
                f"{self.out} already holds an export",
                "choose another OUT.zip, or give --overwrite to replace it",
            )

    def _is_export(self) -> bool:
        try:
            with zipfile.ZipFile(self.out) as file:
                return MARKER in file.namelist()
        except (OSError, zipfile.BadZipFile):
            return False

    def put(
        self, product: Product, roots: tuple[Path, ...], state: os.stat_result | None = None
    ) -> bool:
        """Make the file of *product*; links become copies. Raises as Outbox.put does."""
        return Outbox.put(self, replace(product, link="copy"), roots, state)

    def publish(
        self,
        account: dict[str, Any],
        written: Iterable[str],
        digests: Mapping[str, str],
        root: Path,
        overwrite: bool,
    ) -> None:
        """Pack everything and move the file to its place. *account* describes the export,
        *digests* are those of its files that are known.
        """
        new, packed = self.hidden / "new", self.hidden / "new.zip"
        write_staged(new / MARKER, self.sealed(account, digests))
        try:
            self._pack(new, packed, [MARKER, *account["files"]])
            sync_file(packed)
            self.check(root, overwrite)  # it may have changed meanwhile
            os.replace(packed, self.out)
            sync_folder(self.out.parent)
        except OSError as error:
            raise write_error(Path(error.filename or self.out), error) from error
        finally:
            packed.unlink(missing_ok=True)

    @staticmethod
    def _pack(folder: Path, packed: Path, names: Iterable[str]) -> None:
        with zipfile.ZipFile(packed, "w") as file:
            for name in sorted(names):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.external_attr = 0o644 << 16
                deflated = name.lower().endswith(_TEXTS)
                entry.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
                file.writestr(entry, (folder / name).read_bytes())
            file.comment = bytes(SEAL)  # the last bytes of the file
        seal = digest_file(packed, leave=SEAL)
        with open(packed, "r+b") as whole:
            whole.seek(-SEAL, os.SEEK_END)
            whole.write(seal.encode("ascii"))
