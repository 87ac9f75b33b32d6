"""``segprep json2mask SRC OUT``: the everyday name of ``segprep convert labelme``."""

from .convert import conversion_command

command = conversion_command("json2mask", "labelme")
