"""Many independent cases by several processes, in an order that is spread evenly over their groups,
for a limited time.
"""

import multiprocessing
import random
import time
import traceback
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

Case = TypeVar("Case")
Work = Callable[[Any], Any]


def spread(
    cases: Iterable[Case], group: Callable[[Case], Hashable], rng: random.Random
) -> list[Case]:
    """*cases* in an order of which every beginning has about the same share of each group."""
    groups: dict[Hashable, list[Case]] = {}
    for case in cases:
        groups.setdefault(group(case), []).append(case)
    placed = list[tuple[float, float, Case]]()
    for members in groups.values():
        rng.shuffle(members)
        first = rng.random()
        placed += [
            ((n + first) / len(members), rng.random(), case) for n, case in enumerate(members)
        ]
    return [case for _, _, case in sorted(placed, key=lambda entry: entry[:2])]


def results(
    cases: Sequence[Any],
    begin: Callable[[int], Work],
    *,
    jobs: int = 1,
    seconds: float | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Each case of *cases* with what its work gives, as they end. *begin* (number of the process)
    gives the work. No case is begun when *seconds* have passed.

    With one job all happens in this process. A case whose process dies gives a RuntimeError.
    """
    until = time.monotonic() + seconds if seconds else float("inf")
    if jobs == 1:
        work = begin(0)
        for case in cases:
            if time.monotonic() > until:
                return
            yield case, work(case)
        return
    context = multiprocessing.get_context("fork")
    waiting, busy = iter(cases), dict[Connection, Any]()
    processes = list[Any]()
    for number in range(jobs):
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, begin, number))
        process.start()
        processes.append(process)
        there.close()
        busy[here] = None
    try:
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                case = busy.pop(pipe)
                try:
                    answer = pipe.recv()
                except EOFError:
                    answer = RuntimeError("its process died")
                if case is not None:
                    yield case, answer
                elif isinstance(answer, RuntimeError):
                    raise answer
                following = next(waiting, None) if time.monotonic() < until else None
                if following is not None and not isinstance(answer, RuntimeError):
                    busy[pipe] = following
                    pipe.send(following)
                else:
                    with suppress(OSError):  # it died
                        pipe.send(None)
                    pipe.close()
    finally:
        for process in processes:
            process.join(10 if not busy else 0)
            process.kill()


def _serve(pipe: Connection, begin: Callable[[int], Work], number: int) -> None:
    """Work on what *pipe* brings, until it is closed."""
    try:
        work = begin(number)
        pipe.send(None)
        while (case := pipe.recv()) is not None:
            pipe.send(work(case))
    except EOFError:
        return
    except BaseException:
        traceback.print_exc()
        raise
