"""The page: one file, no network, every name escaped; the contact sheet."""

import base64
import hashlib
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli import main

import segprep
from segprep import gallery
from segprep.errors import TreeError
from segprep.types import Finding

pytest.importorskip("jinja2")
sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import scenes

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
)


class Tags(HTMLParser):
    """Every tag with its attributes, and the text of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in self.raw:
            self.raw[self.inside].append(data)


def parsed(path: Path) -> Tags:
    page = Tags()
    page.feed(path.read_text("utf-8"))
    return page


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scenes.make(tmp_path_factory.mktemp("scenes") / "tree", 8).root


def test_one_file_without_network(tree: Path, tmp_path: Path) -> None:
    made = segprep.view(tree, tmp_path / "page.html")
    assert (made.shown, made.total) == (8, 8)
    page = parsed(tmp_path / "page.html")
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed", "base")
        assert not [name for name in attributes if name.startswith("on")], attributes
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith(("data:", "#"))
    scripts = [one for one in page.tags if one[0] == "script"]
    assert len(scripts) == 1
    (policy,) = [
        str(attributes["content"])
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for kind in ("script", "style"):
        text = "".join(page.raw[kind])
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree", 6)
    findings = []
    for number, name in enumerate(HOSTILE):
        stem = name.replace("/", "_")
        for folder, suffix in (("JPEGImages", ".jpg"), ("SegmentationClass", ".png")):
            path = place.root / folder / f"scene_{number:03d}{suffix}"
            path.rename(path.with_name(f"{stem}{suffix}"))
        findings.append(Finding("SEG102", "error", stem, stem, name, name))
    names = [*HOSTILE[:3], *HOSTILE[4:]]
    (place.root / "class_names.txt").write_text("".join(f"{name}\n" for name in names))
    segprep.view(place.root, tmp_path / "page.html", findings=findings)
    page = parsed(tmp_path / "page.html")
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]
    assert not [a for tag, a in page.tags if tag == "img" and a["src"] == "x"]
    stems = {attributes.get("data-stem") for _, attributes in page.tags}
    assert {name.replace("/", "_") for name in HOSTILE} <= stems


def test_findings_and_splits_can_be_filtered(tree: Path, tmp_path: Path) -> None:
    found = [Finding("SEG601", "warning", "scene_002", "x", "shifted", "", 7.5)]
    segprep.view(tree, tmp_path / "page.html", findings=found)
    cards = {
        str(attributes["data-stem"]): attributes
        for _, attributes in parsed(tmp_path / "page.html").tags
        if "data-stem" in attributes
    }
    assert len(cards) == 8
    assert str(cards["scene_002"]["data-codes"]).split() == ["SEG601"]
    assert cards["scene_002"]["data-score"] == "7.5"
    assert cards["scene_000"]["data-split"] == "train"
    assert "1" in str(cards["scene_000"]["data-classes"]).split()


def test_the_page_counts_findings_in_plain_english(tree: Path, tmp_path: Path) -> None:
    findings = [Finding("SEG309", "warning", "scene_000", "", "empty") for _ in range(2)]
    for count, words in ((1, "<b>1 finding</b>"), (2, "<b>2 findings</b>")):
        page = tmp_path / f"{count}.html"
        segprep.view(tree, page, findings=findings[:count])
        assert words in page.read_text("utf-8")


def test_five_hundred_images_stay_below_20_mb(tmp_path: Path) -> None:
    """Noise is the worst case for JPEG; one image stands for all."""
    rng = np.random.default_rng(0)
    root = tmp_path / "tree"
    for name in ("JPEGImages", "SegmentationClass"):
        (root / name).mkdir(parents=True)
    for n in range(4):
        noise = rng.normal(128, 40, (480, 640, 3)).clip(0, 255).astype(np.uint8)
        soft = Image.fromarray(noise).resize((320, 240), Image.Resampling.BOX).resize((640, 480))
        soft.save(root / "JPEGImages" / f"{n}.jpg")
        blocks = rng.integers(0, 5, (24, 32), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
        segprep.write_mask(root / "SegmentationClass" / f"{n}.png", blocks)
    from segprep.gallery import _Draw

    card = _Draw(segprep.Tree(root), 224, 0)("1")
    assert (len(card.picture) + len(card.overlay) + 900) * 500 < 20_000_000


def test_of_many_samples_those_with_findings_are_shown(tree: Path, tmp_path: Path) -> None:
    found = [Finding("SEG601", "warning", "scene_006", "x", "shifted")]
    made = segprep.view(tree, tmp_path / "page.html", findings=found, most=3)
    assert (made.shown, made.total) == (3, 8)
    assert 'data-stem="scene_006"' in (tmp_path / "page.html").read_text()


def test_a_damaged_image_is_shown_as_such(tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree", 4)
    (place.root / "JPEGImages" / "scene_001.jpg").write_bytes(b"broken")
    made = segprep.view(place.root, tmp_path / "page.html")
    assert [note.stem for note in made.notes] == ["scene_001"]
    assert 'class="broken"' in (tmp_path / "page.html").read_text()
    arguments = ["view", str(place.root), "--out", str(tmp_path / "again.html"), "--no-check"]
    told = CliRunner().invoke(main.group, [*arguments, "--json"])
    assert told.exit_code == 3
    assert [entry["stem"] for entry in json.loads(told.stdout)["unreadable"]] == ["scene_001"]


def test_the_command(tree: Path, tmp_path: Path) -> None:
    page, sheet = tmp_path / "page.html", tmp_path / "sheet.png"
    arguments = ["view", str(tree), "--out", str(page), "--sheet", str(sheet)]
    shown = CliRunner().invoke(main.group, [*arguments, "--json"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["shown"] == 8
    with Image.open(sheet) as picture:
        assert picture.width > 600
    again = CliRunner().invoke(main.group, arguments)
    assert again.exit_code == 1
    assert "[output-exists]" in again.stderr
    with pytest.raises(TreeError):
        segprep.view(tree, page)
    assert re.search(r"runs.view\.html", CliRunner().invoke(main.group, ["view", str(tree)]).stdout)


def test_augmented_windows_are_cards_of_their_samples(tree: Path, tmp_path: Path) -> None:
    stems = segprep.Tree(tree).stems()[:2]
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 10:30] = 2
    samples = [(stem, image, mask) for stem in stems * 2]
    page = tmp_path / "augmented.html"
    assert gallery.augmented(tree, iter(samples), page).shown == 4
    cards = [one[1] for one in parsed(page).tags if one[1].get("class") == "card"]
    assert [card["data-stem"] for card in cards] == [
        f"{stem} #{n}" for n, stem in enumerate(stems * 2, 1)
    ]
    assert {card["data-split"] for card in cards} <= {"train", "val", "test"}
    with pytest.raises(TreeError, match="exists"):
        gallery.augmented(tree, iter(samples), page)


def test_view_shows_what_a_training_sees(tree: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    page = tmp_path / "augmented.html"
    arguments = ["view", str(tree), "--augment", "--most", "5", "--out", str(page)]
    result = CliRunner().invoke(main.group, arguments)
    assert result.exit_code == 0, result.output
    assert "5 crops" in result.output
    assert len([one for one in parsed(page).tags if one[1].get("class") == "card"]) == 5


def test_augmented_windows_make_no_sheet(tree: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    result = CliRunner().invoke(main.group, ["view", str(tree), "--augment", "--sheet", str(sheet)])
    assert result.exit_code == 2
    assert "--augment makes a page" in result.output
    assert not sheet.exists()
