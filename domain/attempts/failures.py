"""What can go wrong, in one vocabulary for every provider.

An adapter turns what its provider says into one `Failure`; the advice for a person is the same wherever the
failure came from.
"""

from enum import StrEnum

from domain.model import Message


class Category(StrEnum):
    """What kind of failure it is; `DESIGN` section 6 says what follows from each."""

    VALIDATION = "validation"
    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    CAPACITY = "capacity"
    CONTENT_POLICY = "content_policy"
    NETWORK = "network"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    SUBMISSION_UNKNOWN = "submission_unknown"
    BAD_OUTPUT = "bad_output"
    RETIRED = "retired"


class Failure(Message):
    """One failure, as far as it is known.

    Attributes:
        category: What kind it is.
        code: A stable word for programs: the provider's own code where it has one, else ours.
        detail: A sentence for a person. It never holds a key.
        retry_after_seconds: How long the provider asked us to wait.
        billed: Whether the provider bills this failure; None where it does not say.
    """

    category: Category
    code: str
    detail: str
    retry_after_seconds: float | None = None
    billed: bool | None = None


_ADVICE: dict[Category, str] = {
    Category.VALIDATION: "Change what the message names, then regenerate.",
    Category.AUTH: "The operator must check the provider's key.",
    Category.RATE_LIMIT: "Regenerate in a minute.",
    Category.QUOTA: "The operator must top up the provider account.",
    Category.CAPACITY: "The provider is overloaded. Regenerate in a few minutes.",
    Category.CONTENT_POLICY: "The provider refuses this content. Change the prompt or the image.",
    Category.NETWORK: "The provider could not be reached, and nothing was sent. Regenerate later.",
    Category.SERVER_ERROR: "The provider failed. Regenerate, or choose another model.",
    Category.TIMEOUT: "The provider took too long. Regenerate, or choose a shorter video.",
    Category.SUBMISSION_UNKNOWN: (
        "The order was sent but the answer was lost, so the provider may be making and billing this video. "
        "It is not sent again by itself; regenerate only if you accept paying for it a second time."
    ),
    Category.BAD_OUTPUT: "The provider's file is broken. Regenerate.",
    Category.RETIRED: "The model is gone. Choose another one.",
}

_RETRYABLE = frozenset(
    {
        Category.RATE_LIMIT,
        Category.CAPACITY,
        Category.NETWORK,
        Category.SERVER_ERROR,
        Category.TIMEOUT,
        Category.BAD_OUTPUT,
    }
)


def advice_for(category: Category) -> str:
    """Return a sentence that tells a person what to do about a failure."""
    return _ADVICE[category]


def is_retryable(category: Category) -> bool:
    """Tell whether the same request may well succeed later, without any risk of paying twice."""
    return category in _RETRYABLE
