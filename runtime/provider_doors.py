"""What the environment says of the providers' doors: keys, other addresses, prices.

The names of the variables are in each provider's entry (`domain.orders.line_up`), and nowhere else.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from domain.orders.entries import Door
from domain.orders.line_up import ENTRIES


class DoorSettings(BaseModel):
    """What is set for one provider.

    Attributes:
        key: What lets us in.
        base_url: Where its API is instead of at the vendor's: in another region, or on a server of one's own.
        price_usd: What a video costs on a server of one's own; 0 is to be said, too.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    key: SecretStr | None = None
    base_url: str | None = None
    price_usd: Annotated[Decimal, Field(ge=0, le=1000)] | None = None

    @field_validator("key")
    @classmethod
    def _fits_into_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        """Drop the newline that files and shells leave; refuse what no header can carry, without saying it."""
        if key is None:
            return None
        text = key.get_secret_value().strip()
        if not text:
            return None
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("a key has printable ASCII characters only")
        return SecretStr(text)


def variables_of(door: Door) -> Mapping[str, str]:
    """Return what a provider's settings are called in the environment, by the names of `DoorSettings`."""
    named = {"key": door.key_variable, "base_url": door.base_url_variable, "price_usd": door.price_variable}
    return {field: variable for field, variable in named.items() if variable is not None}


class DoorsFromEnvironment(PydanticBaseSettingsSource):
    """Finds every provider's settings under the names in its entry."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self._environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - their interface
        """Return nothing: all is said at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return `doors`, with those of which something is said."""
        doors = {
            entry.id: {
                field: self._environ[variable]
                for field, variable in variables_of(entry.door).items()
                if self._environ.get(variable)
            }
            for entry in ENTRIES
        }
        return {"doors": {provider: said for provider, said in doors.items() if said}}
