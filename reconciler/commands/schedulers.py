"""The schedulers of an apply: clients with their credentials, and emulators for embedded targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.change import Key
from reconciler.core.config import Target
from reconciler.core.request import Rules
from reconciler.errors import UsageFailure
from reconciler.scheduler.client import Scheduler
from reconciler.scheduler.credential import Credential, check_allowed_host, read_credential
from reconciler.state.git import Git

if TYPE_CHECKING:  # with its database, server and pages it is imported for embedded targets alone
    from reconciler.scheduler.emulator import Emulator, Faults

FAULTS = "RECONCILER_EMULATOR_FAULTS"
"""What goes wrong with calls to embedded targets, as `emulator --faults` has it: to see what comes of it."""


def read_credentials(targets: Iterable[Target], environ: Mapping[str, str]) -> dict[str, Credential]:
    """Return each target's credential. Raises InvalidInput for one that is missing, malformed, or meant for no host.

    Reads the environment and files only: no network is used before every credential is in order.
    """
    credentials = {}
    for target in targets:
        check_allowed_host(target, environ)
        credentials[target.name] = read_credential(target, environ)
    return credentials


@contextmanager
def open_schedulers(
    targets: Iterable[Target],
    credentials: Mapping[str, Credential],
    git: Git,
    rules: Mapping[Key, Rules],
    environ: Mapping[str, str],
) -> Iterator[dict[str, Scheduler]]:
    """Yield a client per target, and run the emulator of each embedded one for as long as the block lasts.

    An emulator has its tables' schedules from their `rules`. These are made for the years that the requests touch,
    and no call goes beyond. Raises UsageFailure where the environment asks an emulator for faults that do not exist.
    """
    with ExitStack() as stack:
        clients = {}
        for target in targets:
            url = None
            if target.embedded:
                url = stack.enter_context(_emulator(target, git, rules, _faults(environ))).url
            client = Scheduler(target, credentials[target.name], url=url)
            clients[target.name] = stack.enter_context(client)
        yield clients


def emulator_database(git: Git, target: str) -> Path:
    """Return where an embedded target remembers its instances: in the git folder, so in no commit."""
    return git.common_dir / "reconciler" / "emulator" / f"{target}.db"


def _emulator(target: Target, git: Git, rules: Mapping[Key, Rules], faults: Faults) -> Emulator:
    from reconciler.scheduler.emulator import Emulator

    database = emulator_database(git, target.name)
    database.parent.mkdir(parents=True, exist_ok=True)
    schedules = {table: rule.schedule for (name, table), rule in rules.items() if name == target.name and rule.schedule}
    return Emulator(database, tenant=target.tenant, range_end=target.range_end, schedules=schedules, faults=faults)


def _faults(environ: Mapping[str, str]) -> Faults:
    from reconciler.scheduler.emulator import NO_FAULTS, parse_faults

    text = environ.get(FAULTS, "")
    try:
        return parse_faults(text) if text else NO_FAULTS
    except ValueError as error:
        raise UsageFailure(f"{FAULTS}: {error}", f"write it like {FAULTS}=lost=0.1,reject=0.05, or unset it") from None
