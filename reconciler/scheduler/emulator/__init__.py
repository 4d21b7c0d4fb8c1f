"""A stand-in for the scheduler: the vendor's two endpoints, honest counts of what ran, and faults on demand."""

from reconciler.scheduler.emulator.database import Database
from reconciler.scheduler.emulator.emulator import Emulator
from reconciler.scheduler.emulator.faults import NO_FAULTS, Arrival, Fault, Faults, parse_faults
from reconciler.scheduler.emulator.rows import CallRow, Instance

__all__ = [
    "NO_FAULTS",
    "Arrival",
    "CallRow",
    "Database",
    "Emulator",
    "Fault",
    "Faults",
    "Instance",
    "parse_faults",
]
