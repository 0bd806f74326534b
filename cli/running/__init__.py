"""`videoplanet up` and what belongs to it: processes, ports, folders."""
