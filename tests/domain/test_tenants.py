"""Who may do what: the tenant's tier and the user's hold together."""

from domain.gate.tickets import Priority
from domain.people.quotas import Allowance
from domain.people.tenants import UNLIMITED, Entitlement, Tenant, Tenants, Tier
from tests.factories import a_request

SMALL = Tier(
    name="small", allowance=Allowance(highest_priority=Priority.NORMAL, providers=("runway", "seedance"))
)
ONE = Tier(name="one", allowance=Allowance(providers=("seedance", "stable-video")))
ALL = Tenants(
    named={"acme": Tenant(tier=SMALL, users={"anna": ONE}, other_users=Tier(name="other"))},
    others=Tenant(tier=ONE),
)


def of(tenant: str, user: str | None = None) -> Entitlement:
    return ALL.entitlement(tenant, user)


def test_everybody_has_a_tier() -> None:
    assert (of("acme").of_tenant, of("acme").of_user) == (SMALL, UNLIMITED)
    assert of("acme", "anna").of_user == ONE
    assert of("acme", "bert").of_user.name == "other"
    assert of("stranger").of_tenant == ONE
    assert of("stranger", "anna").of_user == UNLIMITED
    assert Tenants().entitlement("anybody", "anna").of_tenant == UNLIMITED


def test_only_providers_that_both_may_use_are_used() -> None:
    assert of("acme").providers == ("runway", "seedance")
    assert of("acme", "anna").providers == ("seedance",)
    assert [of("acme", "anna").allows(one) for one in ("runway", "seedance", "stable-video")] == [
        False,
        True,
        False,
    ]
    assert Tenants().entitlement("a", None).providers is None
    assert Tenants().entitlement("a", None).allows("whatever")


def test_the_lower_of_two_highest_priorities_holds() -> None:
    low = Tier(allowance=Allowance(highest_priority=Priority.LOW))
    high = Tier(allowance=Allowance(highest_priority=Priority.HIGH))
    for first, second in ((low, high), (high, low)):
        both = Entitlement(tenant_id="t", user_id="u", of_tenant=first, of_user=second)
        assert both.priorities == (Priority.LOW,)
    assert of("acme").priorities == (Priority.NORMAL, Priority.LOW)
    assert of("stranger").priorities == tuple(Priority)
    assert of("acme").at_most(Priority.URGENT) is Priority.NORMAL
    assert of("acme").at_most(Priority.LOW) is Priority.LOW


def test_an_earlier_request_loses_what_is_no_longer_allowed() -> None:
    earlier = a_request(
        provider="seedance",
        priority="urgent",
        fallback_providers=["runway", "stable-video"],
        metadata={"a": "b"},
    )
    eased = of("acme", "anna").eased(earlier)
    assert (eased.priority, eased.fallback_providers) == (Priority.NORMAL, ())
    assert of("acme").eased(earlier).fallback_providers == ("runway",)
    assert eased.metadata == {"a": "b"}
    assert Tenants().entitlement("a", None).eased(earlier) == earlier
    assert of("acme").eased(a_request()).fallback_providers == "auto"
