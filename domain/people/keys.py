"""Keys and passes: how they are written, what they are good for, and until when.

A key is `vp_<id>_<secret>`. The id may be known; the secret is shown once and kept nowhere, only a seal of it is.
A pass is what a browser is let in by instead, for a while: it is made with a key, and is worth nothing without it.
"""

import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model import Frozen
from domain.people.callers import Caller, Scope, Via

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 16
_SECRET_LENGTH = 40  # 200 bits
_KEY = re.compile(r"vp_([0-9a-hjkmnp-tv-z]{16})_([0-9a-hjkmnp-tv-z]{40})")
_KEY_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{16}")


class WrittenKey(Frozen):
    """A key as its owner has it."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"vp_{self.id}_{self.secret}"

    @classmethod
    def new(cls) -> "WrittenKey":
        """Return a key that nobody can guess."""
        return cls(id=_random(_ID_LENGTH), secret=_random(_SECRET_LENGTH))

    @classmethod
    def read(cls, text: str) -> "WrittenKey | None":
        """Return the key that a text is; None where it is none."""
        found = _KEY.fullmatch(text)
        return None if found is None else cls(id=found[1], secret=found[2])


def is_key_id(text: str) -> bool:
    """Tell whether the text has the form of a key's id; says nothing of whether there is such a key."""
    return _KEY_ID.fullmatch(text) is not None


class KeyState(StrEnum):
    """What a key is worth."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Key(Frozen):
    """What is known of a key.

    Attributes:
        user_id: Whose requests these are; None: the tenant's own.
        name: What people call it.
        last_used_at: To the minute.
    """

    id: str
    tenant_id: str
    user_id: str | None
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        """Return what the key is worth now."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and now >= self.expires_at:
            return KeyState.EXPIRED
        return KeyState.GOOD

    def caller(self) -> Caller:
        """Return who comes with this key."""
        return Caller(
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            scopes=self.scopes,
            key_id=self.id,
            via=Via.KEY,
        )


class PassKind(StrEnum):
    """What a pass is good for."""

    LOGIN = "login"
    SESSION = "session"
    TICKET = "ticket"


LIFETIME = {PassKind.LOGIN: timedelta(hours=1), PassKind.SESSION: timedelta(days=7)}
"""How long a login link and a session last; a ticket says it itself."""


class Pass(Frozen):
    """What is known of a pass.

    Attributes:
        key_id: Of the key that it was made with, and ends with; empty in a house without keys.
        user_id: Beyond whose things it shows nothing, as of a ticket; of a session: the key's user.
        generation_id: The one generation that it shows; None: all.
    """

    kind: PassKind
    key_id: str
    tenant_id: str
    user_id: str | None
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    generation_id: str | None = None

    def caller(self) -> Caller:
        """Return who comes with this pass."""
        return Caller(
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            scopes=self.scopes,
            key_id=self.key_id,
            via=Via.TICKET if self.kind is PassKind.TICKET else Via.SESSION,
        )


def new_token(kind: PassKind) -> str:
    """Return the text of a new pass, which nobody can guess."""
    return f"vp{kind[0]}_{_random(_SECRET_LENGTH)}"


def not_to_hand_out(caller: Caller, scopes: Collection[Scope]) -> list[Scope]:
    """Return the scopes that a caller cannot give to a key, as it has not got them itself."""
    return [scope for scope in Scope if scope in scopes and not caller.may(scope)]


def _random(length: int) -> str:
    return "".join(secrets.choice(_BASE32) for _ in range(length))
