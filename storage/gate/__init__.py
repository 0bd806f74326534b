"""What SQL keeps for the accounts' gates: tickets, leases, pauses, and how each account stands."""
