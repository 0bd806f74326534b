"""The exit codes of the `videoplanet` command: what a script can tell apart."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command ended with."""

    OK = 0
    FAILED = 1
    REFUSED = 2
    UNREACHABLE = 3
    CANCELLED = 4
    TIMED_OUT = 5
    INTERRUPTED = 130


HELP = (
    "Exit codes: 0 done (with --wait: the video is stored) - 1 the generation failed, or doctor found a problem - "
    "2 wrong usage, or the service refused the input - 3 the service cannot be reached or is broken - "
    "4 the generation was cancelled - 5 timed out while waiting, the generation goes on - 130 interrupted"
)


class Stop(Exception):
    """Ends a command with one message for a person and an exit code for a script."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.code = code
