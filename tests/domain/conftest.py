"""How the properties are looked for: without a clock, since machines are shared, and without leaving files.

`make mutate` runs these tests once for each of some thousand faults, and asks for fewer examples, the same
every time.
"""

import os

from hypothesis import settings

settings.register_profile("domain", deadline=None, database=None, max_examples=40)
settings.register_profile(
    "mutation", deadline=None, database=None, max_examples=8, stateful_step_count=20, derandomize=True
)
settings.load_profile(os.environ.get("PROPERTIES", "domain"))
