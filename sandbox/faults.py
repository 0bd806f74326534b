"""How the sandbox misbehaves, and who asked for it.

A fault is armed for an operation of a provider (`POST /_sandbox/faults`), or written into a prompt as
`[sandbox:<fault>]`, `[sandbox:<fault>=<value>]` and `[sandbox:<fault>=<value>@<provider>]`. Armed faults are
used up in the order in which they came; they live in memory and are forgotten with the process.
A prompt's words act once at each creation.
"""

from __future__ import annotations

import re
from collections import deque
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

DEFAULT_SLOWNESS_SECONDS: Final = 5.0
MAX_TIMES: Final = 1_000_000


class Operation(StrEnum):
    """What a client asks a provider to do."""

    CREATE = "create"
    STATUS = "status"
    LIST = "list"
    CANCEL = "cancel"
    OUTPUT = "output"


class Kind(StrEnum):
    """The kinds of misbehaviour; the first three names with a colon in the API take a code."""

    STATUS = "status"
    FAIL_JOB = "fail_job"
    CREATE_THEN_STATUS = "create_then_status"
    DROP_REPLY = "drop_reply"
    SLOW_ACCEPT = "slow_accept"
    STUCK = "stuck"
    SLOW = "slow"
    TRUNCATED_OUTPUT = "truncated_output"
    WRONG_TYPE = "wrong_type"
    WRONG_LENGTH = "wrong_length"
    DUPLICATE_CALLBACK = "duplicate_callback"
    RESET_CONNECTION = "reset_connection"


_BY_NAME: Final = {str(kind): kind for kind in Kind}
WITH_CODE: Final = frozenset({Kind.STATUS, Kind.FAIL_JOB, Kind.CREATE_THEN_STATUS})
AT_THE_DOOR: Final = frozenset({Kind.STATUS, Kind.RESET_CONNECTION})  # of an output, a reset comes half-way
OF_THE_OUTPUT: Final = frozenset({Kind.TRUNCATED_OUTPUT, Kind.WRONG_TYPE, Kind.WRONG_LENGTH})
_OF_AN_ANSWER: Final = frozenset(
    {
        Kind.STATUS,
        Kind.DROP_REPLY,
        Kind.SLOW_ACCEPT,
        Kind.SLOW,
        Kind.DUPLICATE_CALLBACK,
        Kind.RESET_CONNECTION,
    }
)
POSSIBLE: Final[dict[Operation, frozenset[Kind]]] = {
    Operation.CREATE: frozenset(Kind),
    Operation.STATUS: _OF_AN_ANSWER,
    Operation.LIST: _OF_AN_ANSWER,
    Operation.CANCEL: _OF_AN_ANSWER,
    Operation.OUTPUT: OF_THE_OUTPUT | {Kind.STATUS, Kind.DROP_REPLY, Kind.SLOW, Kind.RESET_CONNECTION},
}


class Fault(BaseModel):
    """One misbehaviour.

    Attributes:
        kind: Which one.
        code: The failure code of `fail_job`, the HTTP status of `status` and `create_then_status`.
        seconds: How long the slow ones take; None is their default.
        retry_after: Seconds to send as `Retry-After` beside a status.
        error_code: The code in the error body beside a status, where the provider's has one; None is the
            provider's usual one for that status.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    code: str | None = None
    seconds: float | None = None
    retry_after: float | None = None
    error_code: str | None = None

    @property
    def http_status(self) -> int:
        """The code as an HTTP status."""
        return int(self.code or 500)

    @property
    def pause_seconds(self) -> float:
        """How long a slow answer takes."""
        return DEFAULT_SLOWNESS_SECONDS if self.seconds is None else self.seconds


class FaultRefusedError(ValueError):
    """A fault that does not exist, or not at this operation; says which values are allowed."""

    def __init__(self, message: str, allowed: list[str]) -> None:
        super().__init__(message)
        self.allowed = allowed


def names(kinds: frozenset[Kind]) -> list[str]:
    """The kinds as they are written by those who arm them."""
    return [f"{kind}:<code>" if kind in WITH_CODE else str(kind) for kind in Kind if kind in kinds]


def parse(written: str, operation: Operation) -> Fault:
    """Reads `<fault>` or `<fault>:<code>`.

    Raises:
        FaultRefusedError: There is no such fault at this operation, or its code is missing or impossible.
    """
    allowed = names(POSSIBLE[operation])
    name, _, code = written.partition(":")
    kind = _BY_NAME.get(name)
    if kind is None or kind not in POSSIBLE[operation]:
        raise FaultRefusedError(f"no such fault at {operation}: {written!r}", [*allowed, "none"])
    if kind not in WITH_CODE:
        if code:
            raise FaultRefusedError(f"{kind} takes no code", [*allowed, "none"])
        return Fault(kind=kind)
    if not code:
        raise FaultRefusedError(f"{kind} needs a code", [f"{kind}:<code>"])
    if kind is not Kind.FAIL_JOB and not re.fullmatch(r"[45]\d\d", code):
        raise FaultRefusedError(
            f"{kind} needs an HTTP status from 400 to 599, not {code!r}", [f"{kind}:<400-599>"]
        )
    return Fault(kind=kind, code=code)


_WORD: Final = re.compile(r"\[sandbox:(?P<name>[^\]=@]*)(?:=(?P<value>[^\]@]*))?(?:@(?P<provider>[^\]]*))?\]")


def words(prompt: str, provider: str) -> list[Fault]:
    """The faults that a prompt asks for.

    The value is the code where a fault has one, seconds for `slow_accept`, and for the faults of the output
    how many downloads are spoiled (default 1).

    Args:
        prompt: What the user wrote.
        provider: Who is asked; words for another provider do not count.

    Raises:
        FaultRefusedError: A word is no fault; better said than ignored.
    """
    found: list[Fault] = []
    for word in _WORD.finditer(prompt):
        if word["provider"] in (None, provider):
            found += _from_word(word["name"].strip(), (word["value"] or "").strip())
    return found


def _from_word(name: str, value: str) -> list[Fault]:
    takes_code = _BY_NAME.get(name) in WITH_CODE
    fault = parse(f"{name}:{value}" if takes_code else name, Operation.CREATE)
    if takes_code or not value:
        return [fault]
    if fault.kind in OF_THE_OUTPUT and value.isdecimal() and 1 <= int(value) <= 100:  # noqa: PLR2004 - a sane number
        return [fault] * int(value)
    if fault.kind is Kind.SLOW_ACCEPT and re.fullmatch(r"\d{1,4}(\.\d+)?", value):
        return [fault.model_copy(update={"seconds": float(value)})]
    raise FaultRefusedError(f"{name} does not take {value!r}", names(frozenset(Kind)))


class FaultBook:
    """The armed faults, first in, first out, per provider and operation."""

    def __init__(self) -> None:
        self._armed: dict[tuple[str, Operation], deque[tuple[Fault, int]]] = {}

    def arm(self, provider: str, operation: Operation, fault: Fault, times: int) -> None:
        """Lets the next `times` uses of the operation go wrong, after those that are armed already."""
        self._armed.setdefault((provider, operation), deque()).append((fault, times))

    def take(self, provider: str, operation: Operation, kinds: frozenset[Kind]) -> Fault | None:
        """Uses up the next fault, if there is one and it is one of these kinds."""
        queue = self._armed.get((provider, operation))
        if not queue or queue[0][0].kind not in kinds:
            return None
        fault, times = queue.popleft()
        if times > 1:
            queue.appendleft((fault, times - 1))
        return fault

    def clear(self, provider: str | None = None, operation: Operation | None = None) -> None:
        """Disarms what was armed, for one provider or operation or for all."""
        for key in list(self._armed):
            if provider in (None, key[0]) and operation in (None, key[1]):
                del self._armed[key]

    def listed(self) -> list[dict[str, object]]:
        """What is armed now."""
        return [
            {
                "provider": provider,
                "operation": operation,
                "times": times,
                **fault.model_dump(exclude_none=True),
            }
            for (provider, operation), queue in self._armed.items()
            for fault, times in queue
        ]
