"""Named points at which a process can be made to freeze, so that tests can kill it exactly there.

Off unless `VIDEOPLANET_FREEZE_AT` names a point. The process then stops itself (SIGSTOP) the first time it gets
there; whoever set it up kills it for real, or lets it go on much later. `VIDEOPLANET_FREEZE_MARKER` is the path of
a file that is created at that moment, so that a restarted process passes.
"""

import os
import signal
from enum import StrEnum
from pathlib import Path


class Point(StrEnum):
    """The moments at which losing a process is most interesting."""

    BEFORE_SEND = "before_send"
    AFTER_CLAIM = "after_claim"
    AFTER_SEND = "after_send"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    WATCHING = "watching"
    BEFORE_CANCEL = "before_cancel"
    STORING = "storing"
    BEFORE_COMMIT = "before_commit"
    WISH_BEFORE_COMMIT = "wish_before_commit"
    WISH_AFTER_COMMIT = "wish_after_commit"


def reach(point: Point) -> None:
    """Freeze here, once, if this is the point that was asked for."""
    marker = os.environ.get("VIDEOPLANET_FREEZE_MARKER")
    if os.environ.get("VIDEOPLANET_FREEZE_AT") != point or marker is None:
        return
    try:
        Path(marker).open("x").close()
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGSTOP)
