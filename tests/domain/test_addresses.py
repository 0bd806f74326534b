"""Which addresses are public: a table over every kind, each of which passes once its guard is off."""

import pytest

from domain import addresses
from domain.addresses import Kind, address_of, is_refused, kind_of
from tests.outside import PUBLIC, REFUSED

EVERY = [(kind, text) for kind, texts in REFUSED.items() for text in texts]


def test_every_kind_is_in_the_table() -> None:
    assert set(REFUSED) == set(Kind) - {Kind.PUBLIC}
    assert len(EVERY) >= 40


@pytest.mark.parametrize(("kind", "text"), EVERY)
def test_an_address_that_is_not_public_is_refused_for_what_it_is_and_for_nothing_else(
    kind: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(text)
    assert address is not None
    assert kind_of(address) == kind
    assert is_refused(address)
    monkeypatch.setattr(addresses, "REFUSED", addresses.REFUSED - {kind})
    assert not is_refused(address)


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_none_of_those(text: str) -> None:
    address = address_of(text)
    assert address is not None
    assert kind_of(address) is Kind.PUBLIC
    assert not is_refused(address)


@pytest.mark.parametrize(
    "text",
    [
        *("example.com", "", " 1.1.1.1", "1.1.1.1 ", "1.1.1.1.", "1.1.1", "1.1", "16843009", "0x7f000001"),
        *(
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.0.0.01",
            "1.1.1.256",
            "1.1.1.1.1",
            "1.1.1.1:443",
            "[::1]",
            "::1::",
        ),
        *("①.①.①.①", "\uff11.1.1.1", "::ffff:0x7f.1", "localhost"),
    ],
)
def test_what_is_spelled_in_any_other_way_is_no_address(text: str) -> None:
    assert address_of(text) is None
