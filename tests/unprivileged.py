"""Become another user, tie oneself to the parent's life, and become the command.

Started as `python -I -S unprivileged.py <parent's process id> <user id> <signal> <command...>`. PostgreSQL refuses
to run as root, and tests in containers often do. The tie comes after the change of user, which would undo it.
Standard library only, and no site packages, so that it costs some milliseconds.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Change the user where that is asked for, ask for a signal at the parent's death, become the command."""
    parent, user, number, line = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    if user != os.getuid():
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit("the process that asked for this one has ended")
    os.execv(line[0], line)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
