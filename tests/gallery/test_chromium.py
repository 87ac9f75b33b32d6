"""The page in a real browser: SEGPREP_CHROMIUM=$(command -v chromium) pytest tests/gallery.

No console error, no request, filters and keys at work, and no script or handler out of 50 hostile
names of classes and files.
"""

import html
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep

CHROMIUM = os.environ.get("SEGPREP_CHROMIUM", "")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="SEGPREP_CHROMIUM names no browser")
HOSTILE = (
    "<script>window.hit=1<",
    '"><img src=x onerror=window.hit=1>',
    "' onmouseover='window.hit=1",
    "<svg onload=window.hit=1>",
    "{{ 7 * 7 }}",
    "${alert(1)}",
    "javascript:window.hit=1",
    "&lt;b&gt;",
    "--><b>",
    "]]><b>",
)
# appended to the page, whose policy then names its hash: presses keys, filters, and says what is
PROBE = """
const said = {};
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key, bubbles: true}));
const count = () => document.querySelectorAll("#cards > li:not([hidden])").length;
said.all = count();
const type = (id, value) => { const one = document.getElementById(id); one.value = value;
  one.dispatchEvent(new Event("input", {bubbles: true}));
  one.dispatchEvent(new Event("change", {bubbles: true})); };
type("search", "javascript"); said.searched = count();
type("search", ""); said.again = count();
press("/"); said.focus = document.activeElement.id; document.activeElement.blur();
press("m"); said.mask = document.getElementById("opacity").value; press("m");
press("t"); said.theme = document.documentElement.dataset.theme || "";
document.querySelector(".card").click(); said.large = document.getElementById("large").open;
said.hit = String(window.hit || "");
said.handlers = [...document.querySelectorAll("*")].filter((one) =>
  [...one.attributes].some((name) => name.name.startsWith("on"))).length;
said.requests = performance.getEntriesByType("resource").filter((one) =>
  !one.name.startsWith("data:")).length;
said.scripts = document.querySelectorAll("script").length;
document.body.dataset.said = JSON.stringify(said);
"""


def tree(root: Path) -> Path:
    for name in ("JPEGImages", "SegmentationClass"):
        (root / name).mkdir(parents=True)
    for number in range(50):
        stem = f"{HOSTILE[number % 10]}{number}".replace("/", "_")
        image = np.full((30, 40, 3), 5 * number, np.uint8)
        Image.fromarray(image).save(root / "JPEGImages" / f"{stem}.png")
        mask = np.zeros((30, 40), np.uint8)
        mask[5:20, 5:20] = 1 + number % 10
        segprep.write_mask(root / "SegmentationClass" / f"{stem}.png", mask)
    (root / "class_names.txt").write_text("".join(f"{one}\n" for one in ("ground", *HOSTILE)))
    return root


def browse(page: Path, folder: Path) -> tuple[str, str]:
    """The page's elements at the end, and what the browser logged."""
    run = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *("--disable-background-networking", "--virtual-time-budget=3000", "--dump-dom"),
            *(f"--user-data-dir={folder / 'profile'}", f"file://{page}"),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return run.stdout, run.stderr


def test_a_browser_shows_the_page_and_runs_nothing_of_its_names(tmp_path: Path) -> None:
    from segprep import gallery

    page = tmp_path / "page.html"
    findings = segprep.check(tree(tmp_path / "tree")).findings
    segprep.view(tmp_path / "tree", page, findings=findings)
    text = page.read_text("utf-8")
    probed = text.replace("</body>", f"<script>{PROBE}</script></body>").replace(
        "script-src '", f"script-src '{gallery._hash(PROBE)}' '", 1
    )
    (tmp_path / "probed.html").write_text(probed, "utf-8")
    shown, log = browse(tmp_path / "probed.html", tmp_path)
    said = dict(
        re.findall(r'"(\w+)":("[^"]*"|[\w.]+)', html.unescape(shown.partition("data-said=")[2]))
    )
    assert said["all"] == said["again"] == "50"
    assert said["searched"] == "5"
    assert (said["focus"], said["mask"], said["large"]) == ('"search"', '"0"', "true")
    assert said["theme"] in ('"dark"', '"light"')
    assert (said["hit"], said["handlers"], said["scripts"]) == ('""', "0", "2")
    assert "CONSOLE" not in log
    assert said["requests"] == "0"
