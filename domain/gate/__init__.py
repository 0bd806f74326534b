"""Who may send an order to an account, and when: queue, slots, pace and breaker, pure."""
