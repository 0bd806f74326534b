"""The `videoplanet` command: runs the stack, looks after it, and orders videos over HTTP."""
