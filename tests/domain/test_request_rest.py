"""The rest of a request: names, labels, the ceiling, and that it is closed and strict."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.request import (
    CancelRequest,
    FeedbackRequest,
    GenerationRequest,
    IfRunning,
    RegenerateRequest,
)
from tests.domain.refusals import refused_fields
from tests.factories import PROMPT, a_request

NAMES = ["project_id", "scenario_id", "user_id"]


def test_a_prompt_is_all_that_must_be_said() -> None:
    request = GenerationRequest.model_validate_json('{"prompt": "A fox"}')
    assert (request.provider, request.model, request.metadata) == ("auto", None, {})
    assert request.params.model_dump(exclude_none=True) == {}


@pytest.mark.parametrize("field", ["prompts", "seed", "n", "Prompt", ""])
def test_an_unknown_field_is_refused_by_its_name(field: str) -> None:
    assert refused_fields(**{field: "x"}) == {field}


@pytest.mark.parametrize("field", ["prompt", "provider", "model", *NAMES])
@pytest.mark.parametrize("value", [5, 5.0, True, ["x"], {}, b"runway"])
def test_what_is_no_text_is_not_made_into_text(field: str, value: object) -> None:
    assert refused_fields(**{field: value}) == {field}


@pytest.mark.parametrize("field", ["provider", "model"])
@pytest.mark.parametrize(
    "value", ["", "Runway", "run way", "-runway", "a" * 65, "runway\n", "../runway", "é"]
)
def test_ids_of_providers_and_models_are_plain_words(field: str, value: str) -> None:
    assert refused_fields(**{field: value}) == {field}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_one_to_128_printable_characters(name: str) -> None:
    assert getattr(a_request(**{name: "n" * 128}), name) == "n" * 128
    for wrong in ("", "n" * 129, "a\x00b", "a\x7fb"):
        assert refused_fields(**{name: wrong}) == {name}


def test_sixteen_labels_are_kept_unchanged_and_seventeen_refused() -> None:
    sixteen = {f"key {number}": "v" * 512 for number in range(16)}
    assert a_request(metadata=sixteen).metadata == sixteen
    assert refused_fields(metadata=sixteen | {"one more": ""}) == {"metadata"}


@pytest.mark.parametrize("value", [1, None, True, ["x"], "v" * 513, "a\x00b"])
def test_a_label_must_be_short_text(value: object) -> None:
    assert refused_fields(metadata={"color": value}) == {"metadata.color"}


@pytest.mark.parametrize("key", ["", "k" * 65, "a\x00b"])
def test_a_label_needs_a_short_name(key: str) -> None:
    assert refused_fields(metadata={key: "v"}) == {f"metadata.{key}.[key]"}


@given(st.integers(1, 100_000 * 10**6))
def test_a_ceiling_of_whole_micro_dollars_is_kept_exactly(micros: int) -> None:
    ceiling = Decimal(micros) / 10**6
    assert a_request(max_cost_usd=str(ceiling)).max_cost_usd == ceiling
    again = GenerationRequest.model_validate(a_request(max_cost_usd=ceiling).model_dump(mode="json"))
    assert again.max_cost_usd == ceiling


@pytest.mark.parametrize("ceiling", ["0", 0, "-1", "100000.01", "0.0000001", "NaN", "Infinity", "one", [1]])
def test_any_other_ceiling_is_refused(ceiling: object) -> None:
    assert refused_fields(max_cost_usd=ceiling) == {"max_cost_usd"}


def test_what_was_asked_for_never_changes_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        a_request().prompt = "another"  # type: ignore[misc] # the point of the test


def test_a_request_survives_being_stored_as_json() -> None:
    request = a_request(
        params={"duration_seconds": 5, "seed": 1, "resolution": "720p"},
        metadata={"a": "b"},
        max_cost_usd="1.50",
        project_id="p",
    )
    stored = request.model_dump(mode="json", exclude_none=True)
    assert GenerationRequest.model_validate(stored) == request


def test_what_is_not_said_about_going_on_is_chosen_carefully() -> None:
    request = a_request()
    assert (request.priority, request.fallback_providers, request.deadline_seconds) == (
        "normal",
        "auto",
        None,
    )
    assert (request.on_unknown_submission, request.on_content_policy) == ("hold", "fail")


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("priority", ["urgent", "high", "normal", "low"]),
        ("on_unknown_submission", ["hold", "resubmit"]),
        ("on_content_policy", ["fail", "next"]),
    ],
)
def test_how_to_go_on_is_said_in_a_few_words(field: str, words: list[str]) -> None:
    assert [getattr(a_request(**{field: word}), field) for word in words] == words
    for wrong in ("", words[0].upper(), "stop", None, True, 1, words):
        assert refused_fields(**{field: wrong}) == {field}


@pytest.mark.parametrize("seconds", [10, 600, 7 * 86_400])
def test_a_deadline_is_between_ten_seconds_and_a_week(seconds: int) -> None:
    assert a_request(deadline_seconds=seconds).deadline_seconds == seconds


@pytest.mark.parametrize("seconds", [9, 0, -10, 7 * 86_400 + 1, 60.0, "60", True])
def test_any_other_deadline_is_refused(seconds: object) -> None:
    assert refused_fields(deadline_seconds=seconds) == {"deadline_seconds"}


def test_up_to_eight_fallback_providers_are_kept_in_their_order() -> None:
    eight = [f"provider-{number}" for number in range(8, 0, -1)]
    for listed in ([], ["seedance"], eight):
        request = a_request(fallback_providers=listed)
        assert request.fallback_providers == tuple(listed)
        assert GenerationRequest.model_validate_json(request.model_dump_json()) == request
        assert GenerationRequest.model_validate(request.model_dump(mode="json", exclude_none=True)) == request


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([f"provider-{number}" for number in range(9)], "must name at most 8 providers"),
        (["seedance", "google", "seedance"], "names seedance twice"),
        (["seedance", "runway"], "must not repeat the provider runway"),
        (["seedance", "auto"], "must not have `auto` in a list: give it alone"),
        (["Seedance"], "must name providers by their ids"),
        (["seedance", 5], "must name providers by their ids"),
        ([["seedance"]], "must name providers by their ids"),
        ("seedance", "must be `auto` or a list of providers"),
        ("", "must be `auto` or a list of providers"),
        (None, "must be `auto` or a list of providers"),
        ({"seedance": 1}, "must be `auto` or a list of providers"),
        (True, "must be `auto` or a list of providers"),
    ],
)
def test_any_other_fallback_is_refused_with_one_reason(listed: object, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        a_request(provider="runway", fallback_providers=listed)
    (error,) = refused.value.errors()
    assert (error["loc"], error["msg"]) == (("fallback_providers",), message)


def test_the_schema_tells_what_a_fallback_can_be() -> None:
    word, listed = GenerationRequest.model_json_schema()["properties"]["fallback_providers"]["anyOf"]
    assert word["const"] == "auto"
    assert (listed["type"], listed["maxItems"]) == ("array", 8)


@pytest.mark.parametrize("field", ["max_cost_usd", "metadata", "seed", "fallback_providers", "priority"])
def test_a_regenerate_is_closed_to_unknown_fields(field: str) -> None:
    with pytest.raises(ValidationError):
        RegenerateRequest.model_validate({field: {}})


def test_a_regenerate_knows_what_was_mentioned() -> None:
    assert RegenerateRequest.model_validate({"prompt": None}).model_fields_set == {"prompt"}
    assert RegenerateRequest.model_validate({}).model_fields_set == set()
    with pytest.raises(ValidationError):
        RegenerateRequest.model_validate({"prompt": PROMPT * 100})


def test_a_reason_to_cancel_is_short_and_printable() -> None:
    assert CancelRequest(reason="r" * 500).reason == "r" * 500
    for wrong in ("r" * 501, "\x00"):
        with pytest.raises(ValidationError):
            CancelRequest(reason=wrong)


@pytest.mark.parametrize("word", IfRunning)
def test_a_regenerate_says_what_happens_to_a_running_take(word: IfRunning) -> None:
    assert RegenerateRequest.model_validate({"if_running": word.value}).if_running is word
    assert RegenerateRequest.model_validate({}).if_running is IfRunning.REFUSE


@pytest.mark.parametrize("word", ["", "Replace", "wait", None, True, 1])
def test_any_other_word_for_a_running_take_is_refused(word: object) -> None:
    with pytest.raises(ValidationError, match="if_running"):
        RegenerateRequest.model_validate({"if_running": word})


def refused_feedback(**fields: Any) -> set[str]:
    with pytest.raises(ValidationError) as refused:
        FeedbackRequest.model_validate({"rating": 5, **fields})
    return {".".join(str(part) for part in error["loc"]) for error in refused.value.errors()}


@pytest.mark.parametrize("rating", range(1, 6))
def test_a_rating_is_all_that_feedback_must_say(rating: int) -> None:
    feedback = FeedbackRequest.model_validate({"rating": rating})
    assert feedback == FeedbackRequest(take=None, rating=rating, comment=None, reasons=())


def test_feedback_needs_a_rating() -> None:
    with pytest.raises(ValidationError, match="rating"):
        FeedbackRequest.model_validate({"comment": "fine"})


@pytest.mark.parametrize("rating", [0, 6, -1, 5.0, "5", True, None])
def test_any_other_rating_is_refused(rating: object) -> None:
    assert refused_feedback(rating=rating) == {"rating"}


@pytest.mark.parametrize("take", [0, -1, 65536, "1", 1.0, True])
def test_feedback_is_about_a_take_that_can_exist(take: object) -> None:
    assert FeedbackRequest.model_validate({"rating": 1, "take": 65535}).take == 65535
    assert refused_feedback(take=take) == {"take"}


def test_a_comment_has_up_to_2000_printable_characters() -> None:
    assert FeedbackRequest(rating=1, comment="c" * 2000).comment == "c" * 2000
    for wrong in ("c" * 2001, "\x1b[2J", "\ud83d", 5):
        assert refused_feedback(comment=wrong) == {"comment"}


def test_up_to_ten_reasons_are_short_words() -> None:
    ten = [f"reason-{number}" for number in range(10)]
    assert FeedbackRequest.model_validate({"rating": 1, "reasons": ten}).reasons == tuple(ten)
    assert refused_feedback(reasons=[*ten, "one-more"]) == {"reasons"}
    assert refused_feedback(reasons="faces") == {"reasons"}
    for wrong in ("", "Faces", "bad hands", "r" * 65, 5):
        assert refused_feedback(reasons=["fine", wrong]) == {"reasons.1"}


@pytest.mark.parametrize("field", ["stars", "at", "kept"])
def test_feedback_is_closed_to_unknown_fields(field: str) -> None:
    assert refused_feedback(**{field: 1}) == {field}
