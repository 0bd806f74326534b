"""The children of a process, as /proc shows them."""

import contextlib
from pathlib import Path

from tests.eventually import eventually_so


def children_of(parent: int, name: str) -> list[int]:
    """Process ids of this process's children that run the file of this name."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent
            if ours and name.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


async def confined_child_of(parent: int, name: str) -> int:
    """Wait until such a child has done all that it does before it opens the file; return its id."""
    await eventually_so(lambda: any(_is_limited(pid) for pid in children_of(parent, name)))
    return children_of(parent, name)[0]


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def _is_limited(pid: int) -> bool:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
            if line.startswith("Max address space"):
                return "unlimited" not in line
    return False
