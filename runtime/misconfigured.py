"""What nobody can work with: a process that meets it ends at its start, with one line that says what would be right."""


class Misconfigured(ValueError):
    """The configuration cannot be used; the message names the file or variable, the key, and what would be right."""
