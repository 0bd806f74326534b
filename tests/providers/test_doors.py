"""Where a request may go as far as its spelling tells: names that are at home somewhere, and doors of one's own."""

import pytest

from providers.outgoing.doors import Doors, Forbidden, Origin

STRICT, OPEN = Doors(), Doors(allows_http=True)
AT_HOME = (
    *("localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan"),
    *("home.arpa", "test", "invalid", "onion"),
)


def refusal(doors: Doors, url: str) -> str:
    with pytest.raises(Forbidden) as refused:
        doors.admit(url)
    return refused.value.code


@pytest.mark.parametrize("ending", AT_HOME)
def test_a_name_that_is_at_home_somewhere_is_refused(ending: str) -> None:
    assert refusal(STRICT, f"https://printer.{ending}/") == "not_public"
    assert refusal(STRICT, f"https://a.b.PRINTER.{ending.upper()}/") == "not_public"


@pytest.mark.parametrize("ending", AT_HOME)
def test_a_name_that_only_looks_like_one_is_admitted(ending: str) -> None:
    """Its last letters are those of a home, or a home is in its midst."""
    last = ending.rpartition(".")[2]
    for host in (f"{last}.example", f"{ending}.example.com", f"example.my{last}"):
        assert STRICT.admit(f"https://{host}/") == Origin("https", host, 443)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com:2121/", "gopher://example.com:443/", "ws://example.com:8000/", "wss://a.example:80/"],
)
def test_no_other_scheme_is_let_in_where_http_is_good_enough(url: str) -> None:
    assert (refusal(STRICT, url), refusal(OPEN, url)) == ("not_https", "not_https")


def test_where_http_is_good_enough_it_is_at_its_own_port_only() -> None:
    assert OPEN.admit("http://example.com/") == OPEN.admit("http://example.com:80/")
    for url in ("http://example.com:443/", "http://example.com:8080/", "https://example.com:80/"):
        assert refusal(OPEN, url) == "port", url


def test_a_door_of_ones_own_is_known_however_it_is_spelled_and_never_with_a_password() -> None:
    doors = Doors(own=frozenset({Origin.of("http://Sandbox:8700"), Origin.of("https://films.internal")}))
    assert doors.admit("http://sandbox:8700/film.mp4") == Origin("http", "sandbox", 8700)
    assert doors.admit("HTTPS://FILMS.internal:443/a?b") == Origin("https", "films.internal", 443)
    assert refusal(doors, "http://me:secret@sandbox:8700/") == "credentials"
    for url in ("http://films.internal/", "https://films.internal:8700/"):
        assert refusal(doors, url) in {"not_https", "port"}, url
    assert refusal(doors, "https://sandbox:8700/") == "port"
    assert refusal(doors, "https://more.films.internal/") == "not_public"
