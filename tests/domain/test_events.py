"""The names of what happens: written into logs that last, so they stay as they are."""

import re

import pytest

from domain.events import EventType


@pytest.mark.parametrize("event", EventType)
def test_an_event_is_named_by_what_it_is_about_and_what_happened(event: EventType) -> None:
    assert re.fullmatch(r"(generation|take|attempt|recovery|cancel|feedback|cost|user)\.[a-z_]+", event.value)
    assert event.name == event.value.replace(".", "_").upper()
