"""What a prompt may be: 1 to 1000 code points, of which one can be seen, and nothing unprintable."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.request import GenerationRequest
from tests.domain.refusals import refused_fields
from tests.factories import a_request

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"  # one picture on screen, five code points
CONTROLS = [chr(code) for code in range(0xA0) if unicodedata.category(chr(code)) == "Cc"]


@pytest.mark.parametrize("character", ["x", "\N{FOX FACE}", "é", "狐", "e\u0301"])
def test_a_prompt_of_a_thousand_code_points_is_taken_and_one_more_is_not(character: str) -> None:
    fitting = (character * 1000)[:1000]
    assert a_request(prompt=fitting).prompt == fitting
    assert refused_fields(prompt=fitting + character[0]) == {"prompt"}


def test_code_points_are_counted_not_what_is_seen_as_one_character() -> None:
    assert a_request(prompt=FAMILY * 200).prompt == FAMILY * 200
    assert refused_fields(prompt=FAMILY * 201) == {"prompt"}


@pytest.mark.parametrize("prompt", ["x", "\N{FOX FACE}", "\n a fox \t\r\n"])
def test_a_prompt_is_kept_exactly_as_it_was_written(prompt: str) -> None:
    assert a_request(prompt=prompt).prompt == prompt


@pytest.mark.parametrize("prompt", ["", " ", "\n\t\r ", "\u00a0\u2003\u3000", "\u200b", "\ufeff \u2060"])
def test_a_prompt_that_shows_nothing_is_refused(prompt: str) -> None:
    assert refused_fields(prompt=prompt) == {"prompt"}


@pytest.mark.parametrize("control", [one for one in CONTROLS if one not in "\n\r\t"])
def test_a_control_character_is_refused_by_its_name(control: str) -> None:
    with pytest.raises(ValidationError, match=f"U\\+{ord(control):04X}"):
        a_request(prompt=f"a fox{control}")


@pytest.mark.parametrize("surrogate", ["\ud83d", "\ude00\ud83d"])
def test_half_a_character_is_refused(surrogate: str) -> None:
    assert refused_fields(prompt=f"a fox {surrogate}") == {"prompt"}


def test_half_a_character_is_refused_in_json_too() -> None:
    with pytest.raises(ValidationError):
        GenerationRequest.model_validate_json('{"prompt": "a fox \\ud83d"}')


@given(st.text())
def test_what_is_taken_is_short_enough_can_be_seen_and_can_be_sent(prompt: str) -> None:
    try:
        request = a_request(prompt=prompt)
    except ValidationError:
        return
    assert 1 <= len(request.prompt) <= 1000
    assert request.prompt.strip()
    assert request.prompt.encode().decode() == prompt
    assert not any(control in request.prompt for control in CONTROLS if control not in "\n\r\t")


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=1000))
def test_anything_visible_and_short_enough_is_taken(prompt: str) -> None:
    assert a_request(prompt=prompt).prompt == prompt
