"""Archives: sound ones are unpacked, hostile and damaged ones refused with nothing left."""

import bz2
import gzip
import io
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segprep.errors import SegprepError, UsageError
from segprep.sources._common.archives import archive, archive_limits

FILES = {"data/images/a.png": b"image", "data/masks/a.png": b"mask", "data/list.txt": b"a\n"}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own, which has to be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


def zipped(entries: dict[str, bytes], *more: zipfile.ZipInfo) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
        for info in more:
            file.writestr(info, b"/etc/passwd")
    return buffer.getvalue()


def linked() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("data/link.png")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def tarred(entries: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        for info in more:
            file.addfile(info)
    return buffer.getvalue()


def typed(kind: bytes, name: str = "data/odd", target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def flags(data: bytes, mask: int) -> bytes:
    """The zip file with *mask* set in the flags of all members."""
    content = bytearray(data)
    for match in re.finditer(rb"PK\x03\x04|PK\x01\x02", data):
        content[match.start() + (6 if match[0][2] == 3 else 8)] |= mask
    return bytes(content)


def negative() -> bytes:
    """A tar file with a member of -512 bytes, at which readers have run in circles."""
    block = bytearray(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT)[:512])
    block[124:136] = (-512).to_bytes(12, "big", signed=True)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(1024)


def long_header() -> bytes:
    """A compressed tar file whose first header states names of 1 GiB."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    return gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(4 << 20))


SOUND: dict[str, Callable[[], bytes]] = {
    "a.zip": lambda: zipped(FILES),
    "mac.zip": lambda: zipped(FILES | {"__MACOSX/data/._a.png": b"x", "data/.DS_Store": b"x"}),
    "dot.zip": lambda: zipped({f"./{name}": content for name, content in FILES.items()}),
    "windows.zip": lambda: zipped({n.replace("/", "\\"): c for n, c in FILES.items()}),
    "folders.zip": lambda: zipped({"data/": b"", "data/images/": b""} | FILES),
    "a.tar": lambda: tarred(FILES),
    "folders.tar": lambda: tarred(FILES, typed(tarfile.DIRTYPE, "data/empty", "")),
    "a.tar.gz": lambda: gzip.compress(tarred(FILES)),
    "a.TGZ": lambda: gzip.compress(tarred(FILES)),
    "a.tar.bz2": lambda: bz2.compress(tarred(FILES)),
    "really-tar.zip": lambda: tarred(FILES),
}
BOMB = {"data/a.png": bytes(80 << 20)}
HOSTILE: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "up.zip": ("archive-unsafe", "leads out", lambda: zipped(FILES | {"../evil": b"x"})),
    "up-inside.zip": ("archive-unsafe", "leads out", lambda: zipped({"a/../../evil": b"x"})),
    "up-windows.zip": ("archive-unsafe", "leads out", lambda: zipped({"..\\evil": b"x"})),
    "absolute.zip": ("archive-unsafe", "absolute", lambda: zipped({"/tmp/evil": b"x"})),
    "drive.zip": ("archive-unsafe", "absolute", lambda: zipped({"C:evil": b"x"})),
    "link.zip": ("archive-unsafe", "a link", lambda: zipped(FILES, linked())),
    "twice.zip": ("archive-unsafe", "twice", lambda: zipped({"a/x": b"1", "a/./x": b"2"})),
    "file-folder.zip": ("archive-unsafe", "twice", lambda: zipped({"a": b"1", "a/x": b"2"})),
    "shared.zip": (
        "archive-unsafe",
        "shares its bytes",
        lambda: overlapping(zipped({"a": bytes(9999), "b": bytes(9999)})),
    ),
    "bomb.zip": ("archive-too-large", "more than 200 times", lambda: zipped(BOMB)),
    "encrypted.zip": ("archive-unreadable", "encrypted", lambda: flags(zipped(FILES), 1)),
    "cut.zip": ("archive-unreadable", "its end is missing", lambda: zipped(FILES)[:-40]),
    "crc.zip": ("archive-unreadable", "CRC", lambda: flipped(zipped(FILES))),
    "empty.zip": ("archive-unreadable", "no files", lambda: zipped({})),
    "nothing.zip": ("archive-unreadable", "empty", lambda: b""),
    "page.zip": ("archive-unreadable", "a web page", lambda: b"<!DOCTYPE html><html>"),
    "pointer.zip": ("archive-unreadable", "LFS", lambda: b"version https://git-lfs.github.com/"),
    "up.tar": ("archive-unsafe", "leads out", lambda: tarred(FILES | {"../../evil": b"x"})),
    "link.tar": ("archive-unsafe", "a link", lambda: tarred(FILES, typed(tarfile.SYMTYPE))),
    "hard.tar": ("archive-unsafe", "a link", lambda: tarred(FILES, typed(tarfile.LNKTYPE))),
    "pipe.tar": ("archive-unsafe", "a device", lambda: tarred(FILES, typed(tarfile.FIFOTYPE))),
    "bomb.tgz": ("archive-too-large", "200 times", lambda: gzip.compress(tarred(BOMB))),
    "cut.tar": ("archive-unreadable", "its end", lambda: tarred(FILES)[:1400]),
    "cut-between.tar": ("archive-unreadable", "its end", lambda: tarred(FILES)[:1024]),
    "cut.tgz": ("archive-unreadable", "", lambda: gzip.compress(tarred(FILES))[:-9]),
    "negative.tar": ("archive-unreadable", "", negative),
    "header.tgz": ("archive-unreadable", "a header has 1073741824 bytes", long_header),
    "text.gz": ("archive-unreadable", "no tar file", lambda: gzip.compress(b"hello")),
    "a.7z": ("archive-unreadable", ".7z files are not read", lambda: b"7z\xbc\xaf\x27\x1c"),
}


def flipped(data: bytes) -> bytes:
    return data[:50] + bytes([data[50] ^ 255]) + data[51:]


def overlapping(data: bytes) -> bytes:
    """The second member placed where the first one is."""
    second = [match.start() for match in re.finditer(rb"PK\x01\x02", data)][1]
    return data[: second + 42] + bytes(4) + data[second + 46 :]


@pytest.mark.parametrize("name", SOUND)
def test_sound_archives_are_unpacked(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(SOUND[name]())
    with archive.opened(path) as unpacked:
        assert unpacked
        assert unpacked.home.name == "data"
        files = [file for file in unpacked.folder.rglob("*") if file.is_file()]
        assert {f.relative_to(unpacked.folder).as_posix(): f.read_bytes() for f in files} == FILES
        with archive.opened(path) as again:
            assert again is unpacked


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(name: str, tmp_path: Path) -> None:
    code, words, make = HOSTILE[name]
    path = tmp_path / "deep" / "deeper" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(make())
    with pytest.raises(SegprepError) as caught, archive.opened(path):
        pass
    assert (caught.value.code, words in caught.value.message) == (code, True), caught.value
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert not list(tmp_path.rglob("evil"))


def test_the_number_of_members_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (archive_limits, archive.archive_zip):
        monkeypatch.setattr(module, "MOST_MEMBERS", 100)
    for name, data in {
        "many.zip": zipped({f"{n}.png": b"" for n in range(101)}),
        "many.tar": tarred({f"{n}.png": b"" for n in range(101)}),
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SegprepError) as caught, archive.opened(tmp_path / name):
            pass
        assert caught.value.code == "archive-too-large"


def test_a_full_disk_is_foreseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a.bin": bytes(range(256)) * 40}))
    monkeypatch.setattr(archive, "_free", lambda folder: 5000)
    with pytest.raises(SegprepError, match="has room for") as caught:
        archive.opened(tmp_path / "a.zip").__enter__()
    assert "TMPDIR" in caught.value.hint


class Named(zipfile.ZipInfo):
    """A member whose name is written in an encoding of its own, without the mark of UTF-8."""

    encoding = "cp932"

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("猫の画像.png", "cp932"),
        ("图像文件夹.png", "gb18030"),
        ("고양이.png", "cp949"),
        ("é.png", "cp437"),
    ],
)
def test_names_in_other_encodings(name: str, encoding: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        info = Named(name)
        info.encoding = encoding
        file.writestr(info, b"x")
        file.writestr("b.png", b"x")
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    with archive.opened(tmp_path / "a.zip") as unpacked:
        assert unpacked
        assert {path.name for path in unpacked.home.iterdir()} == {name, "b.png"}
        assert encoding in unpacked.notes[0].message


def test_folders_that_mean_something_stay(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"x/y/train/a.png": b"1"}))
    with archive.opened(tmp_path / "a.zip") as unpacked:
        assert unpacked
        assert [path.name for path in unpacked.home.iterdir()] == ["train"]
    with archive.opened(tmp_path) as folder:
        assert folder is None


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    from segprep.conversion import convert

    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UsageError, match="is a file"):
        convert("auto", tmp_path / "a.json", tmp_path / "out")
