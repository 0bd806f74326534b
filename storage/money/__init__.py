"""The books as rows, the limits that are checked against them, and what was spent."""
