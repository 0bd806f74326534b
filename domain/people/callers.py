"""Who asks: the tenant and the user on whose behalf a request is made, and what it may do."""

from enum import StrEnum

from domain.model import Frozen


class Scope(StrEnum):
    """What a key may be used for; none includes another."""

    READ = "read"
    GENERATE = "generate"
    ACT_AS = "act_as"
    OPERATE = "operate"
    ADMIN = "admin"


class Via(StrEnum):
    """How a caller showed who it is."""

    KEY = "key"
    SESSION = "session"
    TICKET = "ticket"
    LINK = "link"
    OPEN = "open"


class Caller(Frozen):
    """Whoever makes a request.

    Attributes:
        user_id: The user that the key belongs to; None: the tenant itself.
        key_id: Of the key behind it, also of a session or a ticket; None in a house without keys.
        via: A house without keys is open to whoever reaches its loopback address, with every scope.
    """

    tenant_id: str
    user_id: str | None = None
    scopes: frozenset[Scope] = frozenset(Scope)
    key_id: str | None = None
    via: Via = Via.OPEN

    def may(self, scope: Scope) -> bool:
        """Tell whether the caller has a scope."""
        return scope in self.scopes

    @property
    def only_user(self) -> str | None:
        """The user beyond whose things the caller is shown nothing; None: it is shown all of its tenant's."""
        return None if self.may(Scope.ACT_AS) or self.may(Scope.OPERATE) else self.user_id


NOBODY = Caller(tenant_id="", scopes=frozenset())
"""Who looks at what is there for everybody: owns nothing, and may do nothing."""
