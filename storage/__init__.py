"""What lasts: the catalog of what exists, the log of what happened, and the files. Knows `domain` only."""
