"""How fast a caller may go: every request of the API is counted for the key behind it, wrong keys for the address.

A key's sessions and tickets count for the key. In a house without keys each address counts for itself; of IPv6, the
network that one household is given, since its addresses are endless.
"""

import ipaddress
from urllib.parse import parse_qs

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import Scope

from api.door import links
from api.door.auth import is_public
from api.door.rates import Counted, Rates, Standing
from api.door.scopes import caller_of
from api.problems import Problem

_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOUSEHOLD_BITS = 64
_STATE = "rate_headers"
_UNAUTHORIZED = 401
_LOGIN = "/login"


async def counted(request: Request) -> None:
    """Count a request for its caller, and say in the answer how they stand; what is there for everybody is free.

    Raises:
        Problem: They have made too many.
    """
    if is_public(request.url.path):
        return
    what = Counted.READS if request.method in _LOOKS else Counted.WRITES
    caller = caller_of(request)
    who = f"key:{caller.key_id}" if caller.key_id else f"address:{address_of(request.scope)}"
    rates: Rates = request.app.state.parts.rates
    standing = await rates.count(what, who)
    request.scope["state"][_STATE] = standing.headers
    if standing.remaining < 0:
        raise _refusal(
            standing,
            f"You may make {standing.limit} requests in {standing.window_seconds} s ({what}); "
            f"all of them are given back in {standing.resets_in} s.",
        )


def rate_headers(scope: Scope) -> dict[str, str]:
    """Return the headers that say how the caller of a request stands; none where it was not counted."""
    headers: dict[str, str] = scope["state"].get(_STATE, {})
    return headers


def address_of(scope: Scope) -> str:
    """Return whose address a request comes from, as far as it is told."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _HOUSEHOLD_BITS), strict=False))
    return str(address)


class WrongKeys:
    """Bounds how often an address may try keys, tickets and sessions that are none."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    async def refusal(self, scope: Scope) -> Problem | None:
        """Return why what a request shows is not even looked at; None where it is."""
        if not _shows_something(scope):
            return None
        standing = await self._rates.look(Counted.WRONG_KEYS, address_of(scope))
        if standing.remaining > 0:
            return None
        return _refusal(standing, f"Too many wrong keys came from here; try again in {standing.resets_in} s.")

    async def heard(self, scope: Scope, status: int, headers: Headers) -> None:
        """Count an answer that says that what was shown is worth nothing; who shows nothing guesses nothing."""
        is_wrong = "invalid_token" in headers.get("www-authenticate", "") or scope["path"] == _LOGIN
        if status == _UNAUTHORIZED and is_wrong:
            await self._rates.count(Counted.WRONG_KEYS, address_of(scope))


def _shows_something(scope: Scope) -> bool:
    if scope["path"] == _LOGIN:
        return bool(scope["method"] == "POST")
    if any(name in {b"authorization", b"cookie"} for name, _ in scope["headers"]):
        return True
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return "ticket" in query or links.SIGNATURE in query


def _refusal(standing: Standing, detail: str) -> Problem:
    headers = standing.headers | {"Retry-After": str(standing.resets_in)}
    return Problem("too_many_requests", detail, headers=headers)
