"""How many examples property tests try: a sample in a normal run, EXAMPLES times as many where that is set."""

from __future__ import annotations

import os

_TIMES = int(os.environ.get("EXAMPLES", "1"))


def examples(sample: int) -> int:
    return sample * _TIMES
