"""Tables of colors as people write them: the same two classes every time."""

from pathlib import Path

import pytest

from segprep.errors import UsageError
from segprep.sources._common.classes.color_rows import parsed

TEAMS = [("Team 1", (27, 154, 218)), ("Team 2", (38, 198, 129))]


@pytest.mark.parametrize(
    "text",
    [
        "name,r,g,b\nTeam 1,27,154,218\nTeam 2,38,198,129\n",
        "name;r;g;b\nTeam 1;27;154;218\nTeam 2;38;198;129\n",
        'Label,color_rgb\nTeam 1,"27,154,218"\nTeam 2,"38,198,129"\n',
        'Label,color_rgb\nTeam 1,"(27, 154, 218)"\nTeam 2,"[38 198 129]"\n',
        "name,rgb\nTeam 1,(27, 154, 218)\nTeam 2,(38, 198, 129)\n",
        "class,color\nTeam 1,#1b9ada\nTeam 2,#26C681\n",
        "#1b9ada Team 1\n#26c681 Team 2\n",
        "27 154 218 Team 1\n38 198 129 Team 2\n",
        "Team 1 27 154 218\nTeam 2 38 198 129\n",
        "27 154 218\tTeam 1\n38 198 129\t\tTeam 2\n",
        "# label:color_rgb:parts:actions\nTeam 1:27,154,218::\nTeam 2:38,198,129::\n",
        "id,name,r,g,b\n0,Team 1,27,154,218\n1,Team 2,38,198,129\n",
        "r,g,b,id,name\n27,154,218,7,Team 1\n38,198,129,9,Team 2\n",
        "name,r,g,b,a\nTeam 1,27,154,218,128\nTeam 2,38,198,129,128\n",
        "name,id,trainid,r,g,b\nTeam 1,7,0,27,154,218\nTeam 2,9,1,38,198,129\n",
    ],
)
def test_whatever_a_table_looks_like(text: str) -> None:
    assert parsed(Path("table"), text) == TEAMS


@pytest.mark.parametrize(
    "text",
    [
        "0 27 154 218 cat\n1 38 198 129 dog\n",
        "cat 27 154 218 0\ndog 38 198 129 1\n",
        "27 154 218 255 cat\n38 198 129 255 dog\n",
        "27 154 218 cat 0\n38 198 129 dog 1\n",
    ],
)
def test_numbers_that_count_the_lines_and_alpha_are_no_color(text: str) -> None:
    colors = [color for _, color in TEAMS]
    assert parsed(Path("table"), text) == list(zip(("cat", "dog"), colors, strict=True))


def test_colors_of_one_class_stay_one_class() -> None:
    rows = parsed(Path("table"), "id,name,r,g,b\n0,road,1,2,3\n1,road,4,5,6\n")
    assert [name for name, _ in rows] == ["road", "road"]


def test_numbers_that_may_be_anything_are_refused() -> None:
    with pytest.raises(UsageError, match="which of the numbers are the color"):
        parsed(Path("table"), "road,7,0,255,0,0\ncar,9,1,0,255,0\n")
