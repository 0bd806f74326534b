"""What a user sees end to end is the same over each database: here the shared stack comes with both in turn."""

import pytest

from tests.stack import Stack


@pytest.fixture
def stack(any_stack: Stack) -> Stack:
    """A stack that nobody breaks."""
    return any_stack
