"""The pages for those who change the house speak of what is there: paths, rooms, names and dependencies."""

import importlib
import re
import tomllib

import pytest

from domain.attempts.failures import Category
from domain.orders.entries import Entry
from providers.base import Provider
from tests.stack import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
_TOPS = (
    "domain",
    "workflows",
    "activities",
    "storage",
    "providers",
    "api",
    "runtime",
    "cli",
    "sandbox",
    "failpoints",
)
_PATH = re.compile(rf"`((?:{'|'.join([*_TOPS, 'tests', 'deploy', 'docs'])})/[\w./-]*)`")


def _table(title: str) -> set[str]:
    """Return the packages that a section's tables name."""
    section = PAGE.split(f"\n{title}\n", 1)[1].split("\nWhat only ", 1)[0].split("\nKept as ", 1)[0]
    rows = re.findall(r"^\| (`.+?) \| .+ \|$", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}


def _declared(lines: list[str]) -> set[str]:
    return {re.split(r"[\[><=~! ]", line)[0] for line in lines}


def test_every_path_exists() -> None:
    paths = set(_PATH.findall(PAGE))
    assert len(paths) > 80
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([\w./-]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


@pytest.mark.parametrize("top", _TOPS)
def test_every_room_is_told_of(top: str) -> None:
    rooms = {f"{top}/{path.parent.name}/" for path in (ROOT / top).glob("*/__init__.py")}
    told = PAGE.split("## The rooms", 1)[1].split("## One home", 1)[0] + " `domain/orders/line_up/` "
    if top == "providers":
        rooms = {"providers/outgoing/"}  # the others are one provider each
    assert [room for room in sorted(rooms) if f"`{room}`" not in told] == []
    assert f"`{top}/" in told


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("storage.attempts.fence", ["begin_sending"]),
        ("storage.attempts.answers", ["finish_sending"]),
        ("storage.money.ledger", ["alone_with_money"]),
        ("domain.orders.request", ["GenerationRequest"]),
        ("domain.attempts.failures", ["Category"]),
        ("domain.attempts.outcomes", ["Accepted", "Rejected", "NotSent", "Unknown"]),
        ("api.idempotency", ["once"]),
        ("api.problems", ["CODES"]),
        ("failpoints", ["Point"]),
    ],
)
def test_names_are_where_the_walks_say(module: str, names: list[str]) -> None:
    assert all(f"`{name}`" in PAGE for name in names)
    assert all(hasattr(importlib.import_module(module), name) for name in names)


def test_every_dependency_has_its_reason_and_nothing_else_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert _table("What a service needs at run time:") == _declared(project["dependencies"])
    assert _table("What only building and testing need:") == _declared(extras["build"] + extras["dev"])


GUIDE = (ROOT / "docs" / "adding-a-provider.md").read_text()


def test_every_path_of_the_guide_exists() -> None:
    paths = set(_PATH.findall(GUIDE))
    assert len(paths) > 15
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_everything_that_the_guide_asks_for_is_what_there_is() -> None:
    asked = set(
        re.findall(r"^- ((?:`\w+`(?:, )?)+):", GUIDE.split("## 1.", 1)[1].split("## 2.", 1)[0], re.MULTILINE)
    )
    fields = {name for names in asked for name in re.findall(r"\w+", names)}
    assert fields == set(Entry.model_fields)
    methods = set(re.findall(r"^\| `(\w+)\(", GUIDE, re.MULTILINE))
    assert methods == {"submit", "status", "cancel", "cancel_is_billed", "find"}
    assert methods <= set(dir(Provider))
    categories = set(re.findall(r"`([a-z]+_?[a-z]+)`(?=[;.,]| is| with)", GUIDE)) & {
        str(one) for one in Category
    }
    assert {"content_policy", "validation", "quota", "rate_limit", "capacity", "retired"} <= categories
