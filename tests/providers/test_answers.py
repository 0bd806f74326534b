"""What the adapters share in reading answers."""

import pytest

from domain.attempts.failures import Category
from domain.attempts.outcomes import Unknown
from providers.answers import gone, is_address, is_job_id, unclear, unusable, without_key
from tests.providers.orders import REFERENCE


@pytest.mark.parametrize(
    "job_id", ["a", "...a", "a..", "a.b:c~d_e-F", "0e1f5c4e-8a7d-4a4e-9c73-2f9d2b1d9c11", "x" * 255]
)
def test_a_job_id_is_one_piece_of_a_path(job_id: str) -> None:
    assert is_job_id(job_id)


@pytest.mark.parametrize(
    "value",
    [
        *("", ".", "..", "...", "." * 255, "a/b", "../a", "a b", "a?b", "a#b", "a%2f", "é", "x" * 256),
        *("a\n", "\na", ".\n", "..\n", None, 5, True, ["a"], {"a": 1}, b"a"),
    ],
)
def test_what_leads_elsewhere_or_nowhere_is_no_job_id(value: object) -> None:
    assert not is_job_id(value)


@pytest.mark.parametrize(
    "value", ["http://a", "https://a.b/c.mp4?x=%2F", "https://[::1]:8/v", "HTTPS://a.b/"]
)
def test_an_address_has_a_host(value: str) -> None:
    assert is_address(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "/v.mp4",
            "//a.b/v",
            "v.mp4",
            "ftp://a.b/",
            "file:///v",
            "data:video/mp4;base64,AA",
            "https://",
        ),
        *("https:///v", "https://a.b:port/", "https://a.b:999999/", "https://[::1", "https://a\x00b/"),
        *("https://\ud83d/", "https://" + "a" * 70_000, None, 5, ["https://a.b"], b"https://a.b"),
    ],
)
def test_what_cannot_be_fetched_is_no_address(value: object) -> None:
    assert not is_address(value)


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        *(
            ("sk-1", "no key sk-1.", "no key [key]."),
            ("sk-1", "sk-1sk-1", "[key][key]"),
            ("sk-1", "sk-", "sk-"),
        ),
        *(("pw", "pw", "[key]"), ("", "no key", "no key"), ("sandbox", "in the sandbox", "in the sandbox")),
    ],
)
def test_a_key_is_hidden_however_short_and_the_sandboxes_is_none(key: str, text: str, told: str) -> None:
    assert without_key(key, text) == told


def test_what_is_said_of_answers_is_the_same_everywhere() -> None:
    end = unclear(REFERENCE, "It was odd.")
    assert isinstance(end, Unknown)
    assert (end.client_reference, end.failure.detail) == (REFERENCE, "It was odd.")
    assert (end.failure.category, end.failure.billed) == (Category.SUBMISSION_UNKNOWN, None)
    lost = gone("It is gone.")
    assert (lost.category, lost.code, lost.billed) == (Category.SERVER_ERROR, "job_gone", None)
    odd = unusable("odd", "It was odd.").failure
    assert (odd.category, odd.code, odd.billed) == (Category.SERVER_ERROR, "odd", None)
