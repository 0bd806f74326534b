"""`providers.toml`: what it says counts, and what nobody understands is refused with what would be right."""

import tomllib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from domain.costs.prices import ModelPrice, PerSecond, PerToken, PerVideo, Rate
from domain.orders.line_up import LINE_UP, SPACING
from runtime.account_limits import account_limits_of
from runtime.providers_file import BadProvidersFile, prices_of
from runtime.settings import Settings
from tests.stack import ROOT

GEN = '[accounts.runway.models."gen4.5"]\n'
PRICED = f'{GEN}unit = "second"\nread_on = 2026-11-20\n'
EXAMPLE = ROOT / "providers.toml.example"


def saying(folder: Path, text: str) -> Settings:
    file = folder / "providers.toml"
    file.write_text(text)
    return Settings(providers_file=file)


def price_of(folder: Path, text: str, account: str = "runway", model: str = "gen4.5") -> ModelPrice:
    return prices_of(saying(folder, text))[account][model]


def test_a_price_has_a_unit_and_dollars_and_the_day_on_which_it_was_read(tmp_path: Path) -> None:
    told = price_of(tmp_path, f'{PRICED}usd = "0.13"\n')
    assert told.price == PerSecond(micros=130_000, step=10_000), "whole credits are billed as before"
    assert (told.read_on, told.is_certain) == (date(2026, 11, 20), True)


@pytest.mark.parametrize(
    ("usd", "micros"), [("0.1", 100_000), ('"0.1"', 100_000), ("2", 2_000_000), ("0", 0)]
)
def test_dollars_are_texts_or_numbers_and_no_number_loses_a_part(
    tmp_path: Path, usd: str, micros: int
) -> None:
    assert price_of(tmp_path, f"{PRICED}usd = {usd}\n").price.micros == micros


def test_everything_about_a_price_can_be_said(tmp_path: Path) -> None:
    told = price_of(
        tmp_path,
        f"""{PRICED}certain = false
usd = "0.10"
silent_usd = "0.08"
least_usd = "0.50"
step_usd = "0.05"
by_resolution = {{ "720p" = "0.20", "960x960" = {{ usd = "0.3", silent_usd = "0.25" }} }}
""",
    )
    rates = (
        Rate(resolution="720p", micros=200_000),
        Rate(resolution="960x960", micros=300_000, silent_micros=250_000),
    )
    assert not told.is_certain
    assert told.price == PerSecond(
        micros=100_000, silent_micros=80_000, rates=rates, least=500_000, step=50_000
    )


def test_each_unit_is_counted_in_its_own_way(tmp_path: Path) -> None:
    def counted(unit: str) -> object:
        text = f'[accounts.seedance.models.seedance-1-0-pro-250528]\nunit = "{unit}"\nusd = 2\nread_on = 2026-11-20\n'
        return price_of(tmp_path, text, "seedance", "seedance-1-0-pro-250528").price

    kinds = {"second": PerSecond, "video": PerVideo, "million_tokens": PerToken}
    assert {unit: counted(unit) for unit in kinds} == {
        unit: kind(micros=2_000_000) for unit, kind in kinds.items()
    }


def test_where_each_resolution_has_a_price_none_is_needed_beside_them(tmp_path: Path) -> None:
    model = "seedance-1-0-pro-250528"
    told = price_of(
        tmp_path,
        f'[accounts.seedance.models.{model}]\nunit = "second"\nread_on = 2026-11-20\n'
        'by_resolution = { "480p" = "0.01", "720p" = "0.03", "1080p" = "0.02" }\n',
        "seedance",
        model,
    )
    assert told.price.rate(silent=False, resolution="480p") == 10_000
    assert told.price.rate(silent=False) == 30_000, "what is not known costs the most"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[acounts.runway]\n", "acounts: there is no such key; there are accounts"),
        ("[accounts.sora]\n", "there is no account 'sora'; there are runway, seedance, stable-video"),
        ("[accounts.runway]\ncap = 3\n", "accounts.runway.cap: there is no such key; there are max_concurrent, "),
        ("[accounts.runway.breaker]\nrow = 3\n", "breaker.row: there is no such key; there are in_a_row"),
        ('[accounts.runway.models."gen9"]\nunit = "second"\nusd = 1\nread_on = 2026-11-20\n',
         "accounts.runway.models: Runway has no model 'gen9'; there are gen4.5, gen4_turbo"),
        (f'{GEN}unit = "minute"\nusd = 1\nread_on = 2026-11-20\n', "unit: Input should be 'second', 'video' or"),
        (f"{GEN}usd = 1\nread_on = 2026-11-20\n", 'models."gen4.5".unit: is missing'),
        (f'{GEN}unit = "second"\nusd = 1\n', "read_on: is missing: the day on which the price was read, such as"),
        (f'{GEN}unit = "second"\nusd = 1\nread_on = "soon"\n', "read_on: Input should be a valid date"),
        (PRICED, "no price for 720p, 1104x832, 960x960, 832x1104, 1584x672: give usd, or each in by_resolution"),
        (f'{PRICED}by_resolution = {{ "720p" = 1 }}\n', "there is no price for 1104x832, 960x960"),
        (f'{PRICED}usd = 1\nby_resolution = {{ "8k" = 1 }}\n', "gen4.5 has no resolution '8k'; there are 720p, "),
        (f'{PRICED}by_resolution = {{ "720p" = {{ cost = 1 }} }}\n', 'by_resolution.720p.usd: is missing'),
        (f"{PRICED}price = 1\n", "price: there is no such key; there are unit, read_on, usd, silent_usd, "),
        (f"{PRICED}usd = -1\n", "usd: Input should be greater than or equal to 0"),
        (f"{PRICED}usd = true\n", 'usd: must be an amount of US dollars, such as "0.12"'),
        (f'{PRICED}usd = "free"\n', 'usd: must be an amount of US dollars, such as "0.12"'),
        (f"{PRICED}usd = nan\n", "usd: Input should be a finite number"),
        (f'{PRICED}usd = "0.0000001"\n', "usd: Decimal input should have no more than 6 decimal places"),
        (f"{PRICED}usd = 1\nstep_usd = 0\n", "step_usd: Input should be greater than 0"),
        ('[accounts.runway.models]\n"gen4.5" = 3\n', 'models."gen4.5": must be a table with keys of its own'),
        ("accounts = 3\n", "accounts: must be a table with keys of its own"),
        ("[accounts", "Expected"),
    ],
)  # fmt: skip
def test_what_nobody_understands_is_refused_with_the_file_the_key_and_what_would_be_right(
    tmp_path: Path, text: str, said: str
) -> None:
    settings = saying(tmp_path, text)
    for read in (prices_of, account_limits_of):
        with pytest.raises(BadProvidersFile) as refusal:
            read(settings)
        assert str(refusal.value).startswith(f"{settings.providers_file}: ")
        assert said in str(refusal.value)


def test_nobody_has_read_a_price_on_a_day_that_has_not_come(tmp_path: Path) -> None:
    day = datetime.now(UTC).date() + timedelta(days=2)
    with pytest.raises(BadProvidersFile, match="read_on: is a day that has not come yet"):
        prices_of(saying(tmp_path, f'{GEN}unit = "second"\nusd = 1\nread_on = {day}\n'))


def test_a_file_that_was_named_must_be_there_and_another_need_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadProvidersFile, match="there is no such file"):
        prices_of(Settings(providers_file=tmp_path / "none.toml"))
    monkeypatch.chdir(tmp_path)
    assert prices_of(Settings()) == {}


def test_limits_and_prices_of_an_account_stand_side_by_side(tmp_path: Path) -> None:
    settings = saying(
        tmp_path, f"[accounts.runway]\nmax_concurrent = 7\nspacing_seconds = 2.5\n{PRICED}usd = 1\n"
    )
    limits = account_limits_of(settings)
    assert (limits["runway"].max_concurrent, limits["runway"].spacing) == (7, timedelta(seconds=2.5))
    assert limits["seedance"].spacing == SPACING["seedance"]
    assert prices_of(settings)["runway"]["gen4.5"].price.micros == 1_000_000


def test_the_example_is_taken_and_its_prices_are_those_that_are_built_in() -> None:
    settings = Settings(providers_file=EXAMPLE)
    account_limits_of(settings)
    told = prices_of(settings)
    assert any(told.values()), "it shows how a price is written"
    for facts in LINE_UP:
        for model in facts.models:
            if model.id in told.get(facts.id, {}):
                assert told[facts.id][model.id].price == model.capabilities[0].price
                assert told[facts.id][model.id].is_certain is model.capabilities[0].price_is_certain


def test_every_line_of_the_example_that_is_commented_out_is_taken_too(tmp_path: Path) -> None:
    text = "\n".join(line.removeprefix("#: ") for line in EXAMPLE.read_text().splitlines())
    assert "#: " in EXAMPLE.read_text()
    settings = saying(tmp_path, text)
    account_limits_of(settings)
    assert prices_of(settings)["stable-video"]["svd"].price == PerVideo(micros=40_000)
    assert tomllib.loads(text, parse_float=Decimal)
