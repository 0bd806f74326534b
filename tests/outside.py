"""The internet outside, on loopback sockets: its addresses lead to servers of a test, its names change their mind."""

import ssl
from collections.abc import Iterable, Mapping, Sequence

import httpcore
import trustme

from domain.addresses import Address, address_of

HERE = "93.184.215.14"
"""A public address."""
THERE = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
"""Another one."""

REFUSED: Mapping[str, tuple[str, ...]] = {
    "metadata": (
        *("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd20:ce::254"),
    ),
    "unspecified": ("0.0.0.0", "0.1.2.3", "::"),  # noqa: S104 - nobody listens here
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "private": ("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.1.1"),
    "shared": ("100.64.0.1", "100.127.255.254"),
    "link_local": ("169.254.0.1", "169.254.255.255", "fe80::1", "febf::1"),
    "site_local": ("fec0::1", "feff:ffff::1"),
    "unique_local": ("fc00::1", "fd12:3456:789a::1"),
    "broadcast": ("255.255.255.255",),
    "multicast": ("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),
    "documentation": ("192.0.2.1", "198.51.100.7", "203.0.113.255", "2001:db8::1", "3fff::1"),
    "benchmark": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "mapped": ("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:8.8.8.8", "::ffff:0:10.0.0.1"),
    "compatible": ("::127.0.0.1", "::a00:1", "::8.8.8.8"),
    "nat64": ("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"),
    "six_to_four": ("2002:7f00:1::", "2002:a00:1::1", "192.88.99.1"),
    "teredo": ("2001:0:7f00:1::", "2001::1"),
    "reserved": (
        "240.0.0.1",
        "254.1.2.3",
        "192.0.0.8",
        "2001:10::1",
        "100::1",
        "4000::1",
        "200::1",
        "5f00::1",
    ),
    "zoned": ("fe80::1%eth0", "2606:4700::1111%1"),
}
"""Addresses to which nobody else may send us, by their kind."""

PUBLIC = (
    *("1.1.1.1", "8.8.8.8", HERE, "9.255.255.255", "11.0.0.1", "172.15.255.255", "172.32.0.1", "192.167.1.1"),
    *(
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.1.1",
        "198.17.1.1",
        "198.20.0.1",
    ),
    *("223.255.255.254", "192.0.1.1", "203.0.112.1", "168.63.129.17", "192.31.196.1"),
    *("2606:4700:4700::1111", "2001:4860:4860::8888", THERE, "2001:200::1", "2003::1", "2a00:1450::1"),
    *("2620:4f:8000::1", "3ffe::1"),
)
"""Addresses that anybody may send us to; many lie next to one of the others."""


class Names:
    """A name server that a test writes.

    Attributes:
        asked: The names, in order.
    """

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]]) -> None:
        """Take the answers to each name: the first, the second..., of which the last is given ever after."""
        self._answers = {name: list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Look a name up; see `providers.outgoing.guarded.Resolve`."""
        assert 0 < port < 65536
        self.asked.append(host)
        turns = self._answers.get(host)
        if turns is None:
            raise OSError(f"no such name: {host}")
        return turns.pop(0) if len(turns) > 1 else turns[0]


class Outside(httpcore.AsyncNetworkBackend):
    """Connections to the addresses of the internet, each of which is a port on loopback.

    Attributes:
        connected: The addresses and ports, in order, also of those that nobody listens at.
    """

    def __init__(self, places: Mapping[tuple[str, int], int] | None = None) -> None:
        self.places = dict(places or {})
        self.connected: list[tuple[str, int]] = []
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the port that stands for an address."""
        self.connected.append((host, port))
        local = next(
            (to for (at, of), to in self.places.items() if (_same(at), of) == (_same(host), port)), None
        )
        if local is None:
            raise httpcore.ConnectError(f"nobody listens at {host}, port {port}")
        return await self._real.connect_tcp("127.0.0.1", local, timeout, local_address, socket_options)


def _same(host: str) -> Address | str:
    """An address has several spellings."""
    return address_of(host) or host


class Authority:
    """Who signs the certificates of this internet."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self._shown: dict[str, ssl.SSLContext] = {}

    def server(self, name: str) -> ssl.SSLContext:
        """Return what a server shows that is called so."""
        if name not in self._shown:
            self._shown[name] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._authority.issue_cert(name).configure_cert(self._shown[name])
        return self._shown[name]

    def client(self) -> ssl.SSLContext:
        """Return how one checks what servers show."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context
