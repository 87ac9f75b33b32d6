"""``python tests/benchmarks/handover.py``: how many items a second one process hands to workers and
writes down, if their work took no processor: a stub sleeps as long as a sample takes, and gives a
record.

All else is what a conversion does with an item in the process that hands out the work: packed
items, chunks, pickling, the journal, the notes. That process is the bottleneck where its CPU time
for an item is more than a sample's time / workers.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import processor

from segprep import engine
from segprep.conversion.run_notes import RunNotes
from segprep.dataset import manifest
from segprep.dataset.journal import Journal
from segprep.packed_items import PackedItems
from segprep.types import Item, Record


@dataclass(frozen=True)
class Stub:
    """Sleep, then say what a conversion says of a sample."""

    seconds: float

    def __call__(self, item: Item) -> tuple[Record, bytes]:
        time.sleep(self.seconds)
        image, mask = f"JPEGImages/{item.stem}.jpg", f"SegmentationClass/{item.stem}.png"
        digests = {image: "0123456789" * 4, mask: "9876543210" * 4}
        inputs = {f"images/{item.stem}.jpg": "0123456789" * 4, f"masks/{item.stem}.png": "ab" * 20}
        pixels = {0: 700_000, 1: 200_000, 2: 21_600}
        source = f"masks/{item.stem}.png"
        names = (item.stem, source, image, mask, None)
        record = Record(*names, 720, 1280, pixels, digests, "0123456789abcdef", inputs, ())
        return record, manifest.dump_record(record)


def items(count: int) -> PackedItems:
    packed = PackedItems()
    for number in range(count):
        name = f"t{number:07}"
        packed.add(name, [("/data/images", f"{name}.jpg"), ("/data/masks", f"{name}.png")], None)
    return packed


def handed_over(seconds: float, workers: int, count: int) -> tuple[float, float]:
    """Items a second, and seconds of CPU that this process takes for one; without the start of
    workers.
    """
    listed = items(count)
    with tempfile.TemporaryDirectory(prefix="segprep-handover-") as name:
        journal, account = Journal(Path(name)), RunNotes()
        results = engine.run(Stub(seconds), listed, jobs=workers)
        done, first, cpu, began = 0, 0, 0.0, 0.0
        for result in results:
            assert not isinstance(result, engine.Failure)
            journal.add(*result)
            account.add(result[0])
            done += 1
            if done == count // 5:  # by now all have started, and chunks have found their length
                first, cpu, began = done, time.process_time(), time.perf_counter()
        wall, used = time.perf_counter() - began, time.process_time() - cpu
        journal.close()
    return (done - first) / wall, used / (done - first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--milliseconds", type=float, nargs="*", default=[2.9, 0.3])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run, about")
    parser.add_argument("--profile", action="store_true", help="of the process that hands out")
    options = parser.parse_args()
    print(processor.name())
    heads = ("a sample", "workers", "items/s", "ideal", "share", "parent, an item", "may take")
    print("{:>9} {:>8} {:>9} {:>9} {:>6} {:>16} {:>10}".format(*heads))
    profiler = cProfile.Profile() if options.profile else None
    for milliseconds in options.milliseconds:
        for workers in options.workers:
            ideal = 1000 * workers / milliseconds
            if profiler:
                profiler.enable()
            pace, used = handed_over(milliseconds / 1000, workers, int(ideal * options.seconds))
            if profiler:
                profiler.disable()
            print(
                f"{milliseconds:>6} ms {workers:>8} {pace:>9.0f} {ideal:>9.0f} {pace / ideal:>6.2f}"
                f" {1e6 * used:>13.1f} µs {1e6 / ideal:>7.1f} µs",
                flush=True,
            )
    if profiler:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
