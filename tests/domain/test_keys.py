"""Keys and passes as texts and as records: what is one, what it is worth, who comes with it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.people.callers import NOBODY, Caller, Scope, Via
from domain.people.keys import (
    LIFETIME,
    Key,
    KeyState,
    Pass,
    PassKind,
    WrittenKey,
    is_key_id,
    new_token,
    not_to_hand_out,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ID, SECRET = "0123456789abcdef", "z" * 40
TEXT = f"vp_{ID}_{SECRET}"


def a_key(**changes: Any) -> Key:
    told = {
        "id": ID,
        "tenant_id": "amber",
        "user_id": "ann",
        "name": "web shop",
        "scopes": frozenset({Scope.READ}),
        "created_at": NOW,
    }
    return Key.model_validate(told | changes)


def a_pass(kind: PassKind) -> Pass:
    return Pass(
        kind=kind,
        key_id=ID,
        tenant_id="amber",
        user_id="ann",
        scopes=frozenset({Scope.READ}),
        created_at=NOW,
        expires_at=NOW + SECOND,
    )


def test_a_key_is_read_as_it_was_written() -> None:
    made = WrittenKey.new()
    assert WrittenKey.read(str(made)) == made
    assert re.fullmatch(r"vp_[0-9a-hjkmnp-tv-z]{16}_[0-9a-hjkmnp-tv-z]{40}", str(made))
    assert is_key_id(made.id)
    assert WrittenKey.read(TEXT) == WrittenKey(id=ID, secret=SECRET)


def test_no_two_keys_or_tokens_are_the_same_and_every_sign_is_used() -> None:
    made = [WrittenKey.new() for _ in range(200)]
    assert len({key.id for key in made}) == len({key.secret for key in made}) == 200
    assert set("".join(key.secret for key in made)) == set("0123456789abcdefghjkmnpqrstvwxyz")
    assert len({new_token(PassKind.TICKET) for _ in range(200)}) == 200


@pytest.mark.parametrize(
    "text",
    [
        *("", "vp_", TEXT + "z", TEXT[:-1], " " + TEXT, TEXT + "\n", TEXT.upper(), TEXT.replace("vp", "VP")),
        *(TEXT.replace("0", letter) for letter in "ilou"),
        *(f"vp_{ID}{SECRET}", f"vp_{ID[1:]}_{SECRET}", f"vpx{ID}_{SECRET}"),
    ],
)
def test_any_other_text_is_no_key(text: str) -> None:
    assert WrittenKey.read(text) is None


@pytest.mark.parametrize("text", ["", ID[1:], ID + "0", ID.upper(), ID + "\n", f"vp_{ID}"])
def test_any_other_text_is_no_id_of_a_key(text: str) -> None:
    assert not is_key_id(text)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, KeyState.GOOD),
        ({"expires_at": NOW + SECOND}, KeyState.GOOD),
        ({"expires_at": NOW}, KeyState.EXPIRED),
        ({"expires_at": NOW - SECOND}, KeyState.EXPIRED),
        ({"revoked_at": NOW}, KeyState.REVOKED),
        ({"revoked_at": NOW, "expires_at": NOW - SECOND}, KeyState.REVOKED),
    ],
)
def test_a_key_is_good_until_it_expires_or_is_revoked(changes: dict[str, datetime], state: KeyState) -> None:
    assert a_key(**changes).state(NOW) is state


def test_who_comes_with_a_key_is_whom_it_was_made_for() -> None:
    assert a_key().caller() == Caller(
        tenant_id="amber", user_id="ann", scopes=frozenset({Scope.READ}), key_id=ID, via=Via.KEY
    )


@pytest.mark.parametrize(
    ("kind", "via"),
    [(PassKind.LOGIN, Via.SESSION), (PassKind.SESSION, Via.SESSION), (PassKind.TICKET, Via.TICKET)],
)
def test_who_comes_with_a_pass_is_whom_its_key_was_made_for(kind: PassKind, via: Via) -> None:
    assert a_pass(kind).caller() == Caller(
        tenant_id="amber", user_id="ann", scopes=frozenset({Scope.READ}), key_id=ID, via=via
    )


@pytest.mark.parametrize("kind", PassKind)
def test_a_token_says_what_it_is_for_and_nothing_else(kind: PassKind) -> None:
    assert re.fullmatch(rf"vp{kind[0]}_[0-9a-hjkmnp-tv-z]{{40}}", new_token(kind))


def test_a_login_link_lasts_an_hour_and_a_session_a_week() -> None:
    assert {PassKind.LOGIN: timedelta(hours=1), PassKind.SESSION: timedelta(days=7)} == LIFETIME


def test_a_caller_hands_out_only_what_it_has() -> None:
    caller = Caller(tenant_id="amber", scopes=frozenset({Scope.READ, Scope.ADMIN}))
    assert not_to_hand_out(caller, [Scope.READ, Scope.ADMIN]) == []
    assert not_to_hand_out(caller, [Scope.OPERATE, Scope.READ, Scope.GENERATE]) == [
        Scope.GENERATE,
        Scope.OPERATE,
    ]


@pytest.mark.parametrize(
    ("scopes", "only"),
    [({Scope.READ}, "ann"), ({Scope.ADMIN}, "ann"), ({Scope.ACT_AS}, None), ({Scope.OPERATE}, None)],
)
def test_a_user_sees_what_is_theirs_unless_they_speak_for_all(scopes: set[Scope], only: str | None) -> None:
    assert Caller(tenant_id="amber", user_id="ann", scopes=frozenset(scopes)).only_user == only


def test_nobody_may_do_nothing() -> None:
    assert not any(NOBODY.may(scope) for scope in Scope)
    assert NOBODY.tenant_id == ""
