"""What other checkers say of the faults that ``make mutate`` puts in: a table, fault by checker.

python tests/oracles/check_peers.py [--sets shapes,nuclei] [--limit 24] [--only NAME,…]
                                    [--write docs/check.md]

Each fault is put into one sample of each set. A checker has found it where it says something that
it does not say of the clean set, about that sample or about the dataset, or where it fails on it.
The checkers run in Pythons of their own: SEGPREP_PEERS_PYTHON has nnunetv2, cleanvision and
cleanlab, SEGPREP_DATUMARO_PYTHON has Datumaro; one that is not there is skipped.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))

import faults
import matrix
import numpy as np
import run
from statistical_faults import STATISTICAL

import segprep

PROGRAMS = Path(__file__).parent / "peers"
PEERS = {  # heading: (program, the variable that names its Python)
    "nnU-Net": ("nnunet.py", "SEGPREP_PEERS_PYTHON"),
    "Datumaro": ("datumaro_validator.py", "SEGPREP_DATUMARO_PYTHON"),
    "cleanvision": ("cleanvision_issues.py", "SEGPREP_PEERS_PYTHON"),
    "cleanlab": ("cleanlab_rank.py", "SEGPREP_PEERS_PYTHON"),
    "keras": ("keras_rules.py", "SEGPREP_PEERS_PYTHON"),
}
FAULTS = (*faults.STRUCTURAL, *STATISTICAL)
Issues = set[tuple[str, str]]  # (what, stem; "" for the dataset)


def asked(program: str, variable: str, folders: list[Path], work: Path) -> list[Issues] | None:
    """The issues of a checker in each of *folders*; None where it is not installed."""
    python = os.environ.get(variable)
    if not python:
        return None
    done = subprocess.run(
        [python, PROGRAMS / program, *folders], stdout=subprocess.PIPE, check=True, cwd=work
    )
    lines = done.stdout.decode().splitlines()
    answers = [json.loads(line[7:]) for line in lines if line.startswith("ISSUES ")]
    assert len(answers) == len(folders), f"{program} says {len(answers)} of {len(folders)}"
    return [{(str(what), str(stem)) for what, stem in answer} for answer in answers]


def ours(folder: Path) -> Issues:
    """The issues that segprep finds."""
    return {(one.code, one.stem) for one in segprep.check(folder).findings}


def trials(tree: Path, work: Path, wanted: set[str]) -> list[tuple[str, Path, set[str]]]:
    """(fault, a copy of *tree* with the fault in one sample, the samples spoiled)."""
    done = []
    for number, fault in enumerate(FAULTS):
        if "one" not in fault.scopes or (wanted and fault.name not in wanted):
            continue
        place = matrix.copy(tree, work / f"{tree.name}-{number}")
        with_labelmap(place.root)
        rng = np.random.default_rng(1)
        spoiled = set(fault.apply(place, matrix.some(place.stems(), "one", rng), rng))
        if spoiled or fault.whole:
            done.append((fault.name, place.root, set() if fault.whole else spoiled))
    return done


def with_labelmap(root: Path) -> None:
    """Datumaro's list of classes and colors; other readers need none."""
    names = (root / "class_names.txt").read_text().splitlines()
    colors = faults.VOC.tolist()
    rows = [f"{name}:{','.join(map(str, colors[n]))}::" for n, name in enumerate(names)]
    rows.append("ignored:224,224,192::")
    (root / "labelmap.txt").write_text("".join(f"{row}\n" for row in rows))


def found(new: Issues, spoiled: set[str]) -> bool:
    """Whether something of *new* names the dataset or a spoiled sample (of two alike, either)."""
    stems = {"", *spoiled, *(stem.removesuffix("_copy") for stem in spoiled)}
    return any(not spoiled or stem in stems for _, stem in new)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="shapes,nuclei")
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    wanted = {name for name in given.only.split(",") if name}
    scores: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    alarms: dict[str, list[int]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name, tree in run.converted(work / "clean", given.sets.split(","), given.limit).items():
            with_labelmap(tree)
            spoiled = trials(tree, work, wanted)
            folders = [tree, *(root for _, root, _ in spoiled)]
            answers = {"segprep": [ours(folder) for folder in folders]}
            for peer, (program, variable) in PEERS.items():
                said = asked(program, variable, folders, work)
                if said is not None:
                    answers[peer] = said
                print(name, peer, "skipped" if said is None else "asked", file=sys.stderr)
            for peer, (clean, *rest) in answers.items():
                alarms[peer].append(len(clean))
                for (fault, _, stems), issues in zip(spoiled, rest, strict=True):
                    scores[fault][peer].append(found(issues - clean, stems))
    text = table(scores, alarms)
    print(text)
    if given.write:
        head, _, rest = given.write.read_text("utf-8").partition("<!-- peers -->\n")
        tail = rest.partition("<!-- end peers -->\n")[2]
        page = f"{head}<!-- peers -->\n{text}<!-- end peers -->\n{tail}"
        given.write.write_text(page, "utf-8")


def table(scores, alarms) -> str:
    """Markdown: in how many of the sets each checker has found each fault."""
    peers = list(alarms)
    numbers = {fault.name: fault.catalog for fault in FAULTS}
    lines = [f"| fault in one sample | {' | '.join(peers)} |", "|---" * (len(peers) + 1) + "|"]
    clean = [" + ".join(map(str, alarms[peer])) for peer in peers]
    lines.append(f"| none: issues | {' | '.join(clean)} |")
    for fault, row in scores.items():
        cells = [f"{sum(row[peer])} / {len(row[peer])}" for peer in peers]
        lines.append(f"| {fault} ({numbers[fault]}) | {' | '.join(cells)} |")
    totals = [sum(sum(row[peer]) for row in scores.values()) for peer in peers]
    count = sum(len(row["segprep"]) for row in scores.values())
    lines.append(f"| **all** | {' | '.join(f'**{total} / {count}**' for total in totals)} |")
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
