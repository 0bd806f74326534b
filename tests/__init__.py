"""Every promise has a test that fails without its code."""
