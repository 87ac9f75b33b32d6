"""``segprep json2mask SRC OUT``: alias of ``segprep convert labelme``."""

from .convert import conversion_command

command = conversion_command("json2mask", "labelme")
