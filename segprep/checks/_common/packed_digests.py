"""Digests of very many files in little memory."""

from collections.abc import Iterable

from segprep.packed import PackedNames


class PackedDigests:
    """Digests in hexadecimal digits by the names of what they are of; of equal names the last
    counts.
    """

    def __init__(self, digests: Iterable[tuple[str, str]] = ()) -> None:
        self.names, self._digests, self._size = PackedNames(), bytearray(), 0
        for name, digest in digests:
            self.names.append(name)
            packed = bytes.fromhex(digest)
            self._size = len(packed)
            self._digests += packed

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, number: int) -> str:
        return self._digests[number * self._size : (number + 1) * self._size].hex()
