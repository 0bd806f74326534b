"""What every confined child does around its work: take the order, give up rights, answer in one line.

Promises: `answer` calls `work` only under the limits of the order, and prints exactly one line of JSON,
whatever `work` does short of dying: its answer, or `{"failed": "<our own fault>"}`.

It is imported by children that run without site-packages: the standard library is all it may import, and
neither `storage/__init__.py` nor `storage/files/__init__.py` may import anything.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38
_NICENESS = 5
_OPEN_FILES = 64


def answer(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Do the work that `storage.files.confined.ask` ordered, and print what comes of it.

    Args:
        work: takes the request, in which `memory_bytes` is added, and returns the answer.
    """
    order = json.loads(sys.argv[3])
    try:
        _restrict(order["parent"], order["limits"])
        said = work({**order["request"], "memory_bytes": order["limits"]["memory_bytes"]})
    except Exception as error:  # noqa: BLE001 - the parent is told everything, and judges
        said = {"failed": repr(error)}
    sys.stdout.write(json.dumps(said) + "\n")


def is_short_of_memory(memory_bytes: int) -> bool:
    """Tell whether half of the address space was in use, so that one large picture more may not fit."""
    if sys.platform != "linux":
        return False
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak_bytes = int(fields["VmPeak"].split()[0]) * 1024
    return peak_bytes * 2 > memory_bytes


def _restrict(parent: int, limits: dict[str, Any]) -> None:
    """Die with the parent, be nice, and take no more than allowed."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)  # it died before we could ask to die with it
    os.nice(_NICENESS)
    for kind, wanted in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            # The hard limit on processor time stays: at the soft one comes SIGXCPU, which says why.
            resource.setrlimit(kind, (allowed, hard if kind == resource.RLIMIT_CPU else allowed))
        except (OSError, ValueError):
            if sys.platform == "linux":
                raise  # elsewhere some limits cannot be set; the wall-clock limit stands everywhere
