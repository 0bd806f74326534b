"""Who asks, and what they may do: callers, keys, tenants and their limits."""
