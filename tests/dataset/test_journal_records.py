"""Finished records of unfinished work, which stay in their file."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

from segprep.dataset import manifest
from segprep.dataset.journal_records import JournalRecords
from segprep.dataset.staging import Staging
from segprep.types import Record

DIGEST = "ab" * 20


def record(stem: str, width: int = 9) -> Record:
    image, mask = f"JPEGImages/{stem}.png", f"SegmentationClass/{stem}.png"
    digests = {image: DIGEST, mask: DIGEST}
    inputs: dict[str, str | None] = {f"masks/{stem}.png": DIGEST, f"images/{stem}.png": DIGEST}
    shape = (7, width, {0: 7 * width}, digests, DIGEST[:16], inputs, ())
    return Record(stem, f"masks/{stem}.png", image, mask, None, *shape)


def written(folder: Path, *records: Record) -> Staging:
    staging = Staging(folder)
    staging.folder.mkdir()
    (staging.folder / "journal.jsonl").write_bytes(b"".join(map(manifest.dump_record, records)))
    return staging


def test_the_last_record_of_a_stem_counts_and_a_torn_line_is_none(tmp_path: Path) -> None:
    staging = written(tmp_path, record("b"), record("a"), record("b", 5))
    with open(staging.folder / "journal.jsonl", "ab") as file:
        file.write(manifest.dump_record(record("c"))[:-9])
    records = JournalRecords(staging, finished=True)
    assert dict(records) == {"a": record("a"), "b": record("b", 5)}
    assert len(records) == 2
    assert "c" not in records
    records.close()
    assert records["a"] == record("a")
    records.close()


def test_earlier_records_stand_behind_those_of_the_journal(tmp_path: Path) -> None:
    earlier = {"a": replace(record("a"), item=""), "z": record("z")}
    records = JournalRecords(written(tmp_path, record("a")), finished=True).over(earlier)
    assert dict(records) == {"a": record("a"), "z": record("z")}
    assert (len(records), "z" in records, "b" in records) == (2, True, False)
    records.close()


def test_without_finished_work_there_are_none(tmp_path: Path) -> None:
    assert not JournalRecords(Staging(tmp_path), finished=True)
    assert not JournalRecords(written(tmp_path, record("a")), finished=False)


def test_a_record_takes_its_name_and_little_more(tmp_path: Path) -> None:
    count = 2000
    staging = written(tmp_path, *(record(f"sample{n:05}") for n in range(count)))
    tracemalloc.start()
    try:
        records = JournalRecords(staging, finished=True)
        assert tracemalloc.get_traced_memory()[0] < 150 * count  # a Record takes 1,500 or more
    finally:
        tracemalloc.stop()
    assert len(records) == count
