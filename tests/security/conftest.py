"""The same fixtures as for the API's own tests."""

from tests.api.conftest import api, cancelled, finished, pending, standing
from tests.security.town import hers, town

__all__ = ["api", "cancelled", "finished", "hers", "pending", "standing", "town"]
