"""How the properties are looked for: without a clock, since machines are shared, and without leaving files."""

from hypothesis import settings

settings.register_profile("domain", deadline=None, database=None, max_examples=40)
settings.load_profile("domain")
