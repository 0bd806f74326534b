"""Processes of ours that are forked from one that has imported everything, so that a start costs no imports.

They are real processes, with a session, an environment and a log of their own, killed and frozen like any others; what
is spared is up to two seconds of processor time a start. What users start is tried by `tests/cli`, without this.
"""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_EVERYTHING = ("api.app", "api.server", "cli.main", "sandbox.app", "sandbox.server", "worker")


class Nursery:
    """The process that all others are forked from; it ends, and they with it, when the one that made it does."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            line = [sys.executable, "-u", "-m", "tests.nursery", str(theirs.fileno())]
            self._process = subprocess.Popen(line, pass_fds=[theirs.fileno()], start_new_session=True)
        self._channel = ours.makefile("rw")
        self._lock = Lock()

    def start(self, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path) -> "Forked":
        """Run `videoplanet` with these arguments.

        Args:
            arguments: As on the command line.
            environment: All of it.
            log: What it says is added there.
        """
        told = self._ask({"arguments": list(arguments), "environment": dict(environment), "log": str(log)})
        return Forked(self, told["pid"])

    def status_of(self, pid: int) -> int | None:
        """Return how a process ended, as `subprocess` counts; None while it has not."""
        status = self._ask({"ended": pid})["status"]
        return None if status is None else int(status)

    def _ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        with self._lock:
            self._channel.write(json.dumps(question) + "\n")
            self._channel.flush()
            return dict(json.loads(self._channel.readline()))


class Forked:
    """One process, with what `subprocess.Popen` can do."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery
        self._ending = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return how it ended; None while it has not."""
        if self.returncode is None:
            self.returncode = self._nursery.status_of(self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended.

        Raises:
            TimeoutExpired: It has not, within so many seconds.
        """
        ended, _, _ = select.select([self._ending], [], [], timeout)
        status = self.poll() if ended else None
        if status is None:
            raise subprocess.TimeoutExpired("videoplanet", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


@cache
def nursery() -> Nursery:
    """Return the nursery of this process."""
    return Nursery()


def main() -> None:
    """Import everything, then fork on demand, until the channel is closed."""
    for name in _EVERYTHING:
        import_module(name)
    with socket.socket(fileno=int(sys.argv[1])) as channel, channel.makefile("rw") as lines:
        for line in lines:
            asked = json.loads(line)
            told = {"status": _status(asked["ended"])} if "ended" in asked else {"pid": _fork(asked, channel)}
            lines.write(json.dumps(told) + "\n")
            lines.flush()


def _fork(asked: Mapping[str, Any], channel: socket.socket) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        channel.close()
        try:
            _become(asked, parent)
        finally:
            os._exit(1)
    return pid


def _become(asked: Mapping[str, Any], parent: int) -> NoReturn:
    """Run the command in this process, which was forked a moment ago, and leave."""
    from cli.main import main as command  # noqa: PLC0415 - the same

    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        sys.exit("the process that asked for this one has ended")
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["videoplanet", *asked["arguments"]]
    status = 0
    try:
        command()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - what an interpreter does with it at its end
        sys.excepthook(*sys.exc_info())
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _status(pid: int) -> int | None:
    with suppress(ChildProcessError):
        ended, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if ended else None
    return None


if __name__ == "__main__":
    main()
