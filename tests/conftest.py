"""Guards for every test: no real home, no git config of the machine, no CI variables, no network beyond loopback."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.figures"]

# These machines are noisy: a slow example is no failure. The seeds are the library's own.
hypothesis.settings.register_profile("quiet", deadline=None)
hypothesis.settings.load_profile("quiet")

_WEB = Path(__file__).parent / "web"

_FOREIGN = re.compile(
    r"(GITHUB|CI|GITLAB|BUILDKITE|CIRCLE|BITBUCKET|BUILD|DRONE|RUNNER|JENKINS)_.*|CI|BRANCH_NAME|BUILD_URL|.*_proxy"
    r"|GIT_.*|RECONCILER_.*|NO_COLOR",
    re.IGNORECASE,
)
_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")  # noqa: S104  (to connect there is to connect here)

GIT_CONFIG = """\
[user]
    name = Tess Ter
    email = tess@example.org
[init]
    defaultBranch = main
[gc]
    auto = 0
[maintenance]
    auto = false
[receive]
    autogc = false
[advice]
    detachedHead = false
"""


class NetworkRefused(BaseException):
    """A test tried to leave this machine. Not an Exception, so that no code under test takes it for an outage."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests that take a browser to runs that name their folder."""
    named = any(Path(arg.partition("::")[0]).resolve().is_relative_to(_WEB) for arg in config.args)
    return True if collection_path == _WEB and not named else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Take one worker more than there are processors: tests that wait for a deadline leave theirs to others."""
    named = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return None if named else (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session", autouse=True)
def guards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests away from whatever the machine has; at the end, fail where something wrote to the home folder."""
    home = tmp_path_factory.mktemp("home")
    config = tmp_path_factory.mktemp("git") / "config"
    config.write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if _FOREIGN.fullmatch(name)]:
            patch.delenv(name)
        patch.setenv("HOME", os.fspath(home))
        patch.setenv("XDG_CONFIG_HOME", os.fspath(home / ".config"))
        patch.setenv("GIT_CONFIG_GLOBAL", os.fspath(config))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # compiling anew would be most of a process's time
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        yield
    written = sorted(path.relative_to(home) for path in home.rglob("*"))
    assert not written, f"tests wrote to the home folder: {written}"


def _guarded(connect: object) -> object:
    def guarded(self: socket.socket, address: object) -> object:
        host = address[0] if isinstance(address, tuple) else None
        if self.family in {socket.AF_INET, socket.AF_INET6} and not str(host).startswith(_LOOPBACK):
            raise NetworkRefused(f"a test tried to connect to {address}")
        assert callable(connect)
        return connect(self, address)

    return guarded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder whose name git, URLs and shells find awkward."""
    path = tmp_path / "a b'ü"
    path.mkdir()
    return path
