"""For which user something is asked."""

from api.problems import FieldError, Problem
from domain.people.callers import Caller, Scope


def user_of(caller: Caller, named: str | None) -> str | None:
    """Return the user for whom a request is made; None: for the tenant itself.

    Args:
        caller: Who asks.
        named: The `user_id` of the body.

    Raises:
        Problem: The caller names a user whom it may not speak for.
    """
    if named is None or named == caller.user_id:
        return caller.user_id
    if caller.may(Scope.ACT_AS):
        return named
    own = f"it is for {caller.user_id!r}" if caller.user_id else "it is for no user"
    message = f"your key may not name this user: {own}, and has not got the scope act_as"
    raise Problem(
        "user_not_allowed",
        f"user_id: {message}",
        [FieldError(pointer="/user_id", code="user_not_allowed", message=message)],
    )
