"""Which addresses are on the public internet, and what the others are.

A table after IANA's registries of special-purpose addresses (RFC 6890 and what came later), with the addresses at
which clouds tell a machine its secrets. Each address is of exactly one kind, the first row that has it counts, and
all kinds but one are refused. Addresses that carry another one inside (mapped, translated, tunnelled) are refused
whatever they carry: they lead where a gateway wills. Nothing is left to `ipaddress.is_global`, which says different
things in different versions of Python.
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address


class Kind(StrEnum):
    """What an address is for."""

    PUBLIC = "public"
    METADATA = "metadata"
    UNSPECIFIED = "unspecified"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    SHARED = "shared"
    LINK_LOCAL = "link_local"
    SITE_LOCAL = "site_local"
    UNIQUE_LOCAL = "unique_local"
    BROADCAST = "broadcast"
    MULTICAST = "multicast"
    DOCUMENTATION = "documentation"
    BENCHMARK = "benchmark"
    MAPPED = "mapped"
    COMPATIBLE = "compatible"
    NAT64 = "nat64"
    SIX_TO_FOUR = "six_to_four"
    TEREDO = "teredo"
    RESERVED = "reserved"
    ZONED = "zoned"


REFUSED = frozenset(Kind) - {Kind.PUBLIC}
"""The kinds to which no request goes whose address somebody else chose."""

_METADATA: Final = (
    # AWS, Azure, Google and most others; its credentials of containers and pods; its name server and clock.
    *("169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.253", "169.254.169.123"),
    *("fd00:ec2::254", "fd00:ec2::23", "fd00:ec2::253", "fd00:ec2::123"),
    "fd20:ce::254",  # Google, over IPv6
    "100.100.100.200",  # Alibaba
    "192.0.0.192",  # Oracle, of old
    "168.63.129.16",  # Azure's house server, amid public addresses
)

_TABLE: Final = tuple(
    (kind, tuple(ip_network(written) for written in networks))
    for kind, networks in (
        (Kind.METADATA, _METADATA),
        (Kind.UNSPECIFIED, ("0.0.0.0/8", "::/128")),
        (Kind.LOOPBACK, ("127.0.0.0/8", "::1/128")),
        (Kind.PRIVATE, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
        (Kind.SHARED, ("100.64.0.0/10",)),
        (Kind.LINK_LOCAL, ("169.254.0.0/16", "fe80::/10")),
        (Kind.SITE_LOCAL, ("fec0::/10",)),
        (Kind.UNIQUE_LOCAL, ("fc00::/7",)),
        (Kind.BROADCAST, ("255.255.255.255",)),
        (Kind.MULTICAST, ("224.0.0.0/4", "ff00::/8")),
        (
            Kind.DOCUMENTATION,
            ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),
        ),
        (Kind.BENCHMARK, ("198.18.0.0/15", "2001:2::/48")),
        (Kind.MAPPED, ("::ffff:0:0/96", "::ffff:0:0:0/96")),
        (Kind.COMPATIBLE, ("::/96",)),
        (Kind.NAT64, ("64:ff9b::/96", "64:ff9b:1::/48")),
        (Kind.SIX_TO_FOUR, ("2002::/16", "192.88.99.0/24")),
        (Kind.TEREDO, ("2001::/32",)),
        # The rest of what IETF keeps for protocols, and what nobody may have (yet).
        (Kind.RESERVED, ("192.0.0.0/24", "240.0.0.0/4", "2001::/23", "100::/64", "5f00::/16")),
    )
)
_GIVEN_OUT: Final = IPv6Network("2000::/3")
"""The only part of IPv6 from which public addresses are given out."""


def address_of(text: str) -> Address | None:
    """Return the address that a text is in its one plain spelling; None where it is a name, or spelled otherwise."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def kind_of(address: Address) -> Kind:
    """Return what an address is for."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return Kind.ZONED
    for kind, networks in _TABLE:
        if any(address in network for network in networks):
            return kind
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return Kind.RESERVED
    return Kind.PUBLIC


def is_refused(address: Address) -> bool:
    """Tell whether an address is one to which nobody else may send us."""
    return kind_of(address) in REFUSED
