"""The activities: thin, each one job. They know `domain`, `providers` and `storage`."""
