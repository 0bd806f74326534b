"""The vendors' own SDKs judge the sandbox."""
