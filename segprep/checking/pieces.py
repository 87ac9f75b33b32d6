"""Very many short runs of bytes in one block of memory."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes in a *buffer* that many have in common, without a block of memory each."""

    buffer: bytearray = field(repr=False)
    start: int
    size: int

    @classmethod
    def of(cls, buffer: bytearray, data: bytes) -> "Piece":
        """*data*, added to *buffer*."""
        buffer += data
        return cls(buffer, len(buffer) - len(data), len(data))

    def __bytes__(self) -> bytes:
        with memoryview(self.buffer) as view:
            return bytes(view[self.start : self.start + self.size])
