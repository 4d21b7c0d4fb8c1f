"""Runs the command line with progress that shows at once: `python -m tests.e2e.quick ARGUMENT…`

So that a test need not make anything slow for seconds.
"""

from __future__ import annotations

import sys
from functools import partialmethod

from reconciler.cli import main
from reconciler.commands.terminal import Pace, Terminal

AT_ONCE = Pace(after=0.05, redraw=0.02, line=0.1)

if __name__ == "__main__":
    setattr(Terminal, "__init__", partialmethod(Terminal.__init__, pace=AT_ONCE))  # noqa: B010  (mypy knows no other)
    sys.argv = ["reconciler", *sys.argv[1:]]
    main()
