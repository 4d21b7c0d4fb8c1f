"""The files that `init` writes, as they ship: plain text with slots such as @@root@@.

`$` and braces are GitHub's and the shell's, so a slot has neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

_SLOT = re.compile(r"@@([a-z-]+)@@")


def fill(name: str, slots: Mapping[str, str]) -> str:
    """Return a template with its slots filled; what is put in is not looked at again.

    Raises KeyError for a slot that nobody fills.
    """
    text = files("reconciler.commands").joinpath("templates", name).read_text("utf-8")
    return _SLOT.sub(lambda match: slots[match[1]], text)
