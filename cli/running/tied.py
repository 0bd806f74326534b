"""Run a command that ends when the process that started it ends, however that one ends.

Started as `python -I -S tied.py <parent's process id> <command...>`: asks Linux for a SIGTERM at the parent's
death, then becomes the command. Standard library only, and no site packages, so that it costs some milliseconds.
(The same in `preexec_fn` would run Python code in a fork of a process with threads, which can hang.)
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, line = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        sys.exit("the process that asked for this one has ended")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and the command would inherit that
    os.execvp(line[0], line)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
