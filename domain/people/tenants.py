"""Tenants, their users, and the tiers that say what each may do.

A tier is a name for an allowance. A tenant has one, and so has each of its users where that is wished: an order must
fit what the tenant may and what the user may.
"""

from collections.abc import Mapping

from pydantic import Field

from domain.gate.tickets import Priority
from domain.model import Frozen
from domain.orders.request import AUTO, GenerationRequest
from domain.people.quotas import Allowance


class Tier(Frozen):
    """An allowance and its name; without a name it is somebody's own."""

    name: str | None = None
    allowance: Allowance = Allowance()


UNLIMITED = Tier()
"""The tier of those of whom nothing is said."""


class Tenant(Frozen):
    """What a tenant and its users may do.

    Attributes:
        users: The tiers of users that are named.
        other_users: The tier of each other user.
    """

    tier: Tier = UNLIMITED
    users: Mapping[str, Tier] = Field(default_factory=dict)
    other_users: Tier = UNLIMITED


class Entitlement(Frozen):
    """What one caller may do: both tiers hold.

    Attributes:
        user_id: None where the tenant itself asks; then only its own tier holds.
    """

    tenant_id: str
    user_id: str | None
    of_tenant: Tier = UNLIMITED
    of_user: Tier = UNLIMITED

    @property
    def providers(self) -> tuple[str, ...] | None:
        """The providers that may be used; None: all."""
        told = [
            one
            for one in (self.of_tenant.allowance.providers, self.of_user.allowance.providers)
            if one is not None
        ]
        if not told:
            return None
        return tuple(provider for provider in told[0] if all(provider in one for one in told))

    @property
    def priorities(self) -> tuple[Priority, ...]:
        """The priorities that may be asked for, the most urgent first."""
        told = [self.of_tenant.allowance.highest_priority, self.of_user.allowance.highest_priority]
        highest = max((one.level for one in told if one is not None), default=0)
        return tuple(Priority)[highest:]

    def allows(self, provider: str) -> bool:
        """Tell whether a provider may be used."""
        return self.providers is None or provider in self.providers

    def at_most(self, priority: Priority) -> Priority:
        """Return a priority, or the highest that is allowed where that is less urgent."""
        return max(priority, self.priorities[0], key=lambda one: one.level)

    def eased(self, request: GenerationRequest) -> GenerationRequest:
        """Return a request from which everything is taken that it may not have and nobody insists on now.

        For requests that were made earlier, when more was allowed: its priority is lowered, and fallback providers
        that may not be used any more are left out.
        """
        listed = request.fallback_providers
        if listed != AUTO:
            listed = tuple(provider for provider in listed if self.allows(provider))
        priority = self.at_most(request.priority)
        return request.model_copy(update={"fallback_providers": listed, "priority": priority})


class Tenants(Frozen):
    """Everybody of whom something is said, and what holds for all others."""

    named: Mapping[str, Tenant] = Field(default_factory=dict)
    others: Tenant = Tenant()

    def entitlement(self, tenant_id: str, user_id: str | None) -> Entitlement:
        """Return what a tenant, or one of its users, may do."""
        tenant = self.named.get(tenant_id, self.others)
        of_user = UNLIMITED if user_id is None else tenant.users.get(user_id, tenant.other_users)
        return Entitlement(tenant_id=tenant_id, user_id=user_id, of_tenant=tenant.tier, of_user=of_user)
