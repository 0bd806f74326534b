"""`tenants.toml`: what it says holds, and what nobody understands is refused with what would be right."""

from pathlib import Path

import pytest

from domain.gate.tickets import Priority
from domain.people.quotas import Allowance
from domain.people.tenants import UNLIMITED, Tenants
from runtime.settings import Settings
from runtime.tenants import BadTenantsFile, tenants_of
from tests.stack import ROOT

WHOLE = """
[tiers.small]
daily_generations = 10
daily_budget_usd = "2.50"
monthly_budget_usd = 20
in_flight = 2
highest_priority = "normal"
providers = ["seedance", "runway"]

[tiers.seat]
daily_budget_usd = 0.1

[default]
tier = "small"
in_flight = 1

[tenants.acme]
tier = "small"
monthly_budget_usd = "99.000001"
user_tier = "seat"

[tenants.acme.users]
"anna@example.com" = "small"

[tenants.own]
daily_generations = 0
"""


def read(folder: Path, text: str) -> Tenants:
    (folder / "tenants.toml").write_text(text)
    return tenants_of(Settings(tenants_file=folder / "tenants.toml"))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(BadTenantsFile) as refused:
        read(folder, text)
    said = str(refused.value)
    assert said.startswith(str(folder / "tenants.toml"))
    return said


def test_what_the_file_says_holds(tmp_path: Path) -> None:
    tenants = read(tmp_path, WHOLE)
    small = Allowance(
        daily_generations=10,
        daily_budget=2_500_000,
        monthly_budget=20_000_000,
        in_flight=2,
        highest_priority=Priority.NORMAL,
        providers=("seedance", "runway"),
    )
    acme = tenants.entitlement("acme", "bert")
    assert (acme.of_tenant.name, acme.of_user.name) == ("small", "seat")
    assert acme.of_tenant.allowance == small.model_copy(update={"monthly_budget": 99_000_001})
    assert acme.of_user.allowance == Allowance(daily_budget=100_000)
    assert tenants.entitlement("acme", "anna@example.com").of_user.allowance == small
    assert tenants.entitlement("own", None).of_tenant.allowance == Allowance(daily_generations=0)
    assert tenants.entitlement("own", None).of_tenant.name is None
    stranger = tenants.entitlement("stranger", "anna@example.com")
    assert stranger.of_tenant.allowance == small.model_copy(update={"in_flight": 1})
    assert stranger.of_user == UNLIMITED


def test_without_a_file_nobody_has_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tenants_of(Settings()) == Tenants()
    (tmp_path / "tenants.toml").write_text("[tenants.acme]\ndaily_generations = 3")
    assert tenants_of(Settings()).entitlement("acme", None).of_tenant.allowance.daily_generations == 3


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadTenantsFile, match=r"gone\.toml: there is no such file"):
        tenants_of(Settings(tenants_file=tmp_path / "gone.toml"))


@pytest.mark.parametrize(
    ("text", "where", "right"),
    [
        ("[tiers.a]\ndaily_budget = 5", "tiers.a.daily_budget", "daily_budget_usd"),
        ("[tier.a]\nin_flight = 5", "tier", "tiers, default, tenants"),
        ("[tenants.acme]\nuser = 5", "tenants.acme.user", "user_tier"),
        ("[default]\nusers = {}", "default.users", "user_tier"),
        ("[tiers.a]\nin_flight = -1", "tiers.a.in_flight", "greater than or equal to 0"),
        ("[tiers.a]\nin_flight = true", "tiers.a.in_flight", "valid integer"),
        ("[tiers.a]\nin_flight = 1.5", "tiers.a.in_flight", "valid integer"),
        ('[tiers.a]\ndaily_budget_usd = "a lot"', "tiers.a.daily_budget_usd", "valid decimal"),
        ("[tiers.a]\ndaily_budget_usd = inf", "tiers.a.daily_budget_usd", "finite number"),
        ("[tiers.a]\nmonthly_budget_usd = -0.1", "tiers.a.monthly_budget_usd", "greater than or equal to 0"),
        ("[tiers.a]\nmonthly_budget_usd = 0.0000001", "tiers.a.monthly_budget_usd", "6 decimal places"),
        ('[tiers.a]\nhighest_priority = "top"', "tiers.a.highest_priority", "'urgent', 'high'"),
        ('[tiers.a]\nproviders = ["runaway"]', "tiers.a.providers", "runway, seedance"),
        ('[tenants.acme]\nproviders = ["runaway"]', "tenants.acme.providers", "runway, seedance"),
        ("[tiers.a]\nproviders = []", "tiers.a.providers", "at least 1"),
        ("[tiers.'A b']\nin_flight = 1", "tiers.A b", "pattern"),
        ('[tenants.acme]\ntier = "gold"', "tenants.acme.tier: there is no tier 'gold'", "[tiers]"),
        (
            '[tiers.a]\n[default]\nuser_tier = "gold"',
            "default.user_tier: there is no tier 'gold'",
            "there are a",
        ),
        ('[tiers.a]\n[tenants.acme.users]\nanna = "b"', "tenants.acme.users.anna", "there are a"),
        ("[tiers.a", "", "Expected ']'"),
    ],
)
def test_what_nobody_understands_is_refused(tmp_path: Path, text: str, where: str, right: str) -> None:
    said = refusal(tmp_path, text)
    assert where in said
    assert right in said


def test_the_example_is_taken() -> None:
    tenants = tenants_of(Settings(tenants_file=ROOT / "tenants.toml.example"))
    assert tenants.entitlement("acme", "anna").of_user.name == "studio"
    assert tenants.entitlement("acme", "bert").of_user.name == "seat"
    assert tenants.entitlement("anybody", None).of_tenant.name == "trial"
