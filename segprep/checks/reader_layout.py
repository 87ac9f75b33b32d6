"""A reader looks for the files elsewhere.

Why: torchvision wants VOCdevkit/VOC<year>; Ultralytics images/ and masks/; nnU-Net imagesTr/.
Fix: segprep export for that tool, or convert into VOCdevkit/VOC2007.
Source: torchvision VOCSegmentation, Ultralytics' dataset paths, nnU-Net's dataset format.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG705", "error", readers=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Layouts that the readers do not open."""
    tree, path = survey.kind == "tree", survey.root
    voc = path.parent.name == "VOCdevkit" and path.name.startswith("VOC")
    wants = {
        "torchvision": ("VOCdevkit/VOC<year>", tree and voc),
        "ultralytics": ("images/ and masks/", (path / "images").is_dir()),
        "nnunet": ("imagesTr/ and labelsTr/", (path / "imagesTr").is_dir()),
        "keras": ("a folder per kind of file", not tree),
    }
    for name in survey.readers:
        if name in wants and not wants[name][1]:
            yield RULE.finding(
                "", "", f"{name} wants {wants[name][0]}", "export the dataset for that tool"
            )
