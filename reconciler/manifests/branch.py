"""Which names may a state branch have?"""

from __future__ import annotations

import re

# The rules of git-check-ref-format(1), and two of ours: no leading dash, no full name.
_RULES = (
    (re.compile(r"\A-"), "starts with a dash"),
    (re.compile(r"\Arefs/"), "starts with refs/; only the branch's own name is wanted"),
    (re.compile(r"\A(?:HEAD|@)\Z|@\{"), "means something else to git"),
    (re.compile(r"[\x00-\x20\x7f~^:?*\[\\]"), "holds a space, a control character or one of ~ ^ : ? * [ \\"),
    (re.compile(r"\.\.|\.\Z"), "has two dots in a row, or a dot at its end"),
    (re.compile(r"\A/|//|/\Z"), "has a slash at its start or end, or two in a row"),
    (re.compile(r"(?:\A|/)\.|\.lock(?:/|\Z)"), "has a part that starts with a dot or ends with .lock"),
)


def complaint(name: str) -> str | None:
    """Return why `name` cannot be a branch, None where it can."""
    return next((message for rule, message in _RULES if rule.search(name)), None)
