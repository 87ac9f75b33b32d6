"""How ``--help`` reads: what an option takes, its default and its limits, in words."""

import re
from collections.abc import Mapping
from typing import Any

import click

from .declarations import summary

# what an option takes, by its name; numbers are N or NUMBER, all else is said by its own type
PLACEHOLDERS: Mapping[str, str] = {
    **dict.fromkeys(("arch", "augment", "loss", "monitor", "name", "optimizer", "preset"), "NAME"),
    **dict.fromkeys(("config", "like", "checkpoint", "list"), "FILE"),
    **dict.fromkeys(("against", "exclude-folder", "image-root", "images", "masks"), "FOLDER"),
    **dict.fromkeys(("dataset", "objects", "out", "plots", "predictions", "truth"), "FOLDER"),
    **dict.fromkeys(("trimaps", "save-augmented", "view"), "FOLDER"),
    **dict.fromkeys(("split", "train", "val"), "LIST"),
    **dict.fromkeys(("annotator", "city", "class-from", "drop", "encoding", "exclude"), "NAME"),
    **dict.fromkeys(("key", "variable"), "NAME"),
    "classes": "FILE|a,b,c",
    "annotations": "FILE|PATTERN",
    "device": "DEVICE",
    "freeze": "N|all",
    "ignore-index": "N|none",
    "ids": "VALUE=NAME,…|FILE",
    "map": "OLD=NEW",
    "pair": "IMAGE=MASK",
    "priority": "a,b,c",
    "ratio": "A/B/C",
    "schedule": "NAME",
    "table": "NAME|FILE",
    "sha256": "DIGEST",
    "size": "N|WxH",
    "weights": "FILE|URL",
}


class Command(click.Command):
    """A command whose help names what each option takes, and its default as people write it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for param in self.params:
            if isinstance(param, click.Option) and param.metavar is None:
                param.metavar = _placeholder(param)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the section Options."""
        records = (
            param.get_help_record(ctx)
            for param in self.get_params(ctx)
            if isinstance(param, click.Option)
        )
        rows = [(names, in_words(text)) for names, text in filter(None, records)]
        with formatter.section("Options"):
            formatter.write_dl(rows)


class ModuleGroup(click.Group):
    """A group with a command for each module of *room*, a package of segprep, and some of its own.
    To list them reads the beginning of each module, no more.
    """

    room = ""
    own: tuple[str, ...] = ()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the section Commands."""
        rows = []
        for name in self.list_commands(ctx):
            module = f"{self.room}.{name.replace('-', '_')}"
            command = self.get_command(ctx, name) if name in self.own else None
            rows.append((name, command.get_short_help_str() if command else summary(module)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _placeholder(option: click.Option) -> str | None:
    """What stands for the value of *option*; None where click's own word does."""
    if option.is_flag or isinstance(option.type, click.Choice):
        return None
    name = next((text[2:] for text in option.opts if text.startswith("--")), "")
    if isinstance(option.type, click.Path) and not (option.type.dir_okay and option.type.file_okay):
        return "FILE" if option.type.file_okay else "FOLDER"
    if isinstance(option.type, click.types.IntParamType):
        return "N"
    if isinstance(option.type, click.types.FloatParamType):
        return "NUMBER"
    return PLACEHOLDERS.get(name)


def in_words(text: str) -> str:
    """What click says of default and limits, as people write it.

    >>> in_words("Worker processes.  [default: (usable cores); 1<=x<=256]")
    'Worker processes.  [default: usable cores; 1 to 256]'
    >>> in_words("Steps.  [default: (600); x>=1]")
    'Steps.  [default: 600; at least 1]'
    """
    head, bracket, extra = text.rpartition("  [")
    if not bracket:
        return text
    extra = re.sub(r"^default: \((.*?)\)(?=; (?:\S+<=)?x[<>]|\]$)", r"default: \1", extra)
    extra = re.sub(r"(\S+)<=x<=(\S+?)(?=[;\]])", r"\1 to \2", extra)
    extra = re.sub(r"x>=(\S+?)(?=[;\]])", r"at least \1", extra)
    return f"{head}{bracket}{extra}"
