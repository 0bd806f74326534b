"""The failure codes of our own by which later decisions go: stable words for what no provider has said.

They are kept in rows and shown to users: they are never renamed.
"""

LOST_BEFORE_SENDING = "lost_before_sending"
"""Of an attempt whose process ended before it sent anything: nobody is at fault, no need to wait."""

WOKE_TOO_LATE = "woke_too_late"
"""Of an attempt whose process was held up after the permission to send, and then did not write."""

SURELY_ABSENT = "surely_absent"
"""Of an attempt that was sent, but of which the provider's list shows that no job came of it."""

GATE_REFUSED = "breaker_open"
"""Of an attempt whose ticket its gate sent away, since the account's breaker is open."""

WAITED_TOO_LONG = "waited_too_long"
"""Of an attempt whose ticket its gate sent away, since it had waited for too long."""

CANCELLED_BEFORE_SENDING = "cancelled_before_sending"
"""Of an attempt whose take was cancelled before anything was sent: the take is over."""

DEADLINE_PASSED = "deadline_passed"
"""Of a take whose deadline leaves no time for another attempt."""
