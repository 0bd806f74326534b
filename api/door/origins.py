"""Where a request comes from, as far as its browser says: other sites' pages must not act in a visitor's name.

A browser sends a visitor's cookie along, and reaches services of the visitor's own machine; so what changes something
is taken only from our own pages. Programs that are no browsers name no origin.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})


def is_from_a_page(headers: Headers) -> bool:
    """Tell whether a browser says which page the request comes from."""
    return "origin" in headers or "sec-fetch-site" in headers


def is_foreign(headers: Headers, allowed: Collection[str]) -> bool:
    """Tell whether the request comes from the page of another site.

    Args:
        headers: Of the request.
        allowed: Origins that count as ours, besides the host that the request names.
    """
    origin = headers.get("origin")
    if origin is not None and origin != "null":
        host = urlsplit(origin).netloc.lower()
        return origin not in allowed and host != headers.get("host", "").lower()
    site = headers.get("sec-fetch-site")
    return origin is not None if site is None else site not in _OURS


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine's own, as it is named: nothing is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def names_loopback(headers: Headers) -> bool:
    """Tell whether the request was sent to a name of this machine: a foreign name that leads here is a trick."""
    try:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        return False
    return host is not None and is_loopback(host)
