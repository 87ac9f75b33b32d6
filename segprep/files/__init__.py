"""Files: safe reading below given roots, atomic writing, digests.

Nothing here knows what a file means.
"""

from segprep.files.copying import copy_staged
from segprep.files.digests import digest, digest_array, digest_file, mark_below
from segprep.files.folders import listing, remove_folder, walk
from segprep.files.inputs import Inputs, Mark, watch
from segprep.files.paths import find_below, is_file, real_folders, resolve_below
from segprep.files.reading import (
    MAX_BYTES,
    head_below,
    open_inside,
    probe_below,
    read_below,
    read_file,
    read_inside,
    read_plain,
)
from segprep.files.writing import (
    sync_file,
    sync_files,
    sync_folder,
    write_atomic,
    write_error,
    write_staged,
)

__all__ = [
    "MAX_BYTES",
    "Inputs",
    "Mark",
    "copy_staged",
    "digest",
    "digest_array",
    "digest_file",
    "find_below",
    "head_below",
    "is_file",
    "listing",
    "mark_below",
    "open_inside",
    "probe_below",
    "read_below",
    "read_file",
    "read_inside",
    "read_plain",
    "real_folders",
    "remove_folder",
    "resolve_below",
    "sync_file",
    "sync_files",
    "sync_folder",
    "walk",
    "watch",
    "write_atomic",
    "write_error",
    "write_staged",
]
