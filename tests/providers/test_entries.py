"""A provider is an entry, an adapter and a wire: whoever adds one of the three is told which others are missing."""

import inspect
from pkgutil import iter_modules

import pytest

import providers
from domain.orders import line_up
from domain.orders.entries import Entry
from domain.orders.line_up import ENTRIES
from providers.base import Access, Provider
from providers.registry import adapter_of
from runtime.provider_doors import variables_of
from runtime.settings import Settings, variable_of
from sandbox.wires import WIRES

_NOT_ADAPTERS = {"outgoing"}

each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)


@each
async def test_every_entry_has_an_adapter_with_everything_that_is_asked_of_one(entry: Entry) -> None:
    adapter = adapter_of(entry.id)(Access("http://127.0.0.1:9", "key"), 1.0)
    asked = {name for name in vars(Provider) if not name.startswith("_")}
    assert asked <= set(dir(adapter))
    for name in asked:
        theirs, ours = getattr(Provider, name), getattr(type(adapter), name)
        if callable(theirs):
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), (
                name
            )
    await adapter.close()


def test_every_adapter_and_every_wire_has_an_entry() -> None:
    known = {entry.id for entry in ENTRIES}
    adapters = {one.name.replace("_", "-") for one in iter_modules(providers.__path__) if one.ispkg}
    assert adapters - _NOT_ADAPTERS == known
    assert set(WIRES) == known


def test_a_module_of_the_line_up_is_named_like_its_provider() -> None:
    modules = {one.name.replace("_", "-") for one in iter_modules(line_up.__path__)}
    assert modules == {entry.id for entry in ENTRIES}


def test_no_two_providers_share_a_variable_or_a_place() -> None:
    variables = [name for entry in ENTRIES for name in variables_of(entry.door).values()]
    assert len(set(variables)) == len(variables)
    assert len({entry.preference for entry in ENTRIES}) == len(ENTRIES)


@each
def test_what_the_environment_says_of_a_door_is_read_and_what_is_wrong_is_named(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(entry.door.key_variable, " a-key\n")
    monkeypatch.setenv(entry.door.base_url_variable, "https://elsewhere.example")
    door = Settings().door(entry.id)
    assert door.key is not None
    assert (door.key.get_secret_value(), door.base_url) == ("a-key", "https://elsewhere.example")
    for field, variable in variables_of(entry.door).items():
        assert variable_of(("doors", entry.id, field)) == variable


def test_what_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in ENTRIES:
        for variable in variables_of(entry.door).values():
            monkeypatch.setenv(variable, "")
    assert Settings().doors == {}
