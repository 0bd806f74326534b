"""Where a request may go whose address somebody else chose: a user, or a provider in its answer.

Only the address as it is written is judged here; where its name leads is judged by `providers.outgoing.guarded`, at
the moment of connecting. One parser reads it, the same that the request is sent by, so that nothing can look like one
place here and be another there.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

import httpx

from domain.addresses import address_of

_PORTS: Final = {"https": 443, "http": 80}
_NAME: Final = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,62}")
_AT_HOME: Final = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan"}
    | {"home.arpa", "test", "invalid", "onion"}
)
"""Endings of names that lead nowhere on the public internet (RFC 6761, 6762, 8375 and custom)."""


class Forbidden(Exception):
    """A request that must not be sent, or not there.

    Attributes:
        code: Why, as a stable word for programs.
        reason: The same as the rest of a sentence that begins with what it is about.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Origin:
    """A scheme, a host as it is sent, and a port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx.URL | str) -> Self:
        """Return the origin of a URL.

        Raises:
            Forbidden: It is no URL of a place.
        """
        try:
            parsed = httpx.URL(url)
            host = parsed.raw_host.decode("ascii").lower()
        except (httpx.InvalidURL, ValueError):
            raise Forbidden("not_a_url", "is not a URL") from None
        port = _PORTS.get(parsed.scheme) if parsed.port is None else parsed.port
        if not host or port is None:
            raise Forbidden("not_a_url", "must be the URL of something on the internet, as https://...")
        return cls(parsed.scheme, host, port)


@dataclass(frozen=True)
class Doors:
    """Where one may go beside https on the public internet.

    Attributes:
        own: Origins that the operator has configured; they may be anywhere, at any port.
        allows_http: Whether http is good enough, as it is for pretended videos.
    """

    own: frozenset[Origin] = frozenset()
    allows_http: bool = False

    def admit(self, url: httpx.URL | str) -> Origin:
        """Return where a URL leads, if one may go there as far as its spelling tells.

        Raises:
            Forbidden: One may not.
        """
        origin = Origin.of(url)
        if httpx.URL(url).userinfo:
            raise Forbidden("credentials", "must not have a user name or password in it")
        if origin in self.own:
            return origin
        if origin.scheme != "https" and not (self.allows_http and origin.scheme == "http"):
            raise Forbidden("not_https", "must begin with https://")
        if origin.port != _PORTS[origin.scheme]:
            raise Forbidden("port", f"must not name a port: it is {_PORTS[origin.scheme]}")
        if address_of(origin.host) is None:
            _check_name(origin.host)
        return origin


def _check_name(host: str) -> None:
    """Refuse what is no plain name of a public host: other spellings of an address among them."""
    if not _NAME.fullmatch(host):
        raise Forbidden("host", "must have the plain name of a host, as example.com")
    if any(host.endswith(f".{ending}") for ending in _AT_HOME):
        raise Forbidden("not_public", "has a name that is not on the public internet")
