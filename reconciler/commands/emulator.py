"""`emulator`: the scheduler's stand-in, for people who try things out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.core.call import RangeEnd
from reconciler.core.wallclock import parse_duration
from reconciler.errors import ExitCode, UsageFailure
from reconciler.scheduler.emulator import NO_FAULTS, Emulator, parse_faults


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """The options of `emulator`. `db` None keeps everything in memory; `every` is a duration, `latency` seconds."""

    port: int
    host: str
    db: Path | None
    tenant: str | None
    every: str
    range_end: RangeEnd
    latency: float
    faults: str | None
    seed: int


def run(options: EmulatorOptions, console: Console) -> ExitCode:
    """Serve until interrupted. Raises UsageFailure for settings that make no sense, Failure for a port in use."""
    every = _duration(options.every)
    try:
        emulator = Emulator(
            options.db,
            port=options.port,
            host=options.host,
            tenant=options.tenant,
            every=every,
            range_end=options.range_end,
            latency=options.latency,
            faults=parse_faults(options.faults, options.seed) if options.faults else NO_FAULTS,
            on_call=lambda line: console.result(line + "\n"),
        )
    except ValueError as error:
        raise UsageFailure(str(error), "see: reconciler emulator --help") from None
    with emulator:
        kept = f"in {options.db}" if options.db else "in memory: name a file with --db to keep it"
        try:
            console.message(
                f"The emulator listens on {emulator.url} (a page for people at /); instances are kept {kept}."
            )
            console.message("Stop it with Ctrl-C.")
            emulator.serve_forever()
        except KeyboardInterrupt:
            console.message("Stopped.")
    return ExitCode.DONE


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageFailure(f"--every {text!r} {error}", "write it like --every 1h") from None
