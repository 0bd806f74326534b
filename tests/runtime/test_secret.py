"""The deployment's secret: one for all processes, for its owner only, and made once."""

import threading
from pathlib import Path

import pytest

from runtime.secret import Purpose, Seal, seal_of
from runtime.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"


def test_many_who_come_first_have_one_secret(tmp_path: Path) -> None:
    settings, seals = Settings(data_dir=tmp_path / "new"), []

    def come() -> None:
        seals.append(seal_of(settings).of(Purpose.KEY, "a"))

    threads = [threading.Thread(target=come) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seals) == 20
    assert len(set(seals)) == 1
    (path,) = (tmp_path / "new").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_set_counts_and_no_file_is_made(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "secret_key": SECRET})
    assert seal_of(settings).of(Purpose.KEY, "a") == Seal(SECRET.encode()).of(Purpose.KEY, "a")
    assert not list(tmp_path.iterdir())


def test_a_file_without_a_secret_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("\n")
    with pytest.raises(ValueError, match="holds no secret"):
        seal_of(Settings(data_dir=tmp_path))


def test_a_seal_is_for_its_purpose_and_its_parts(tmp_path: Path) -> None:
    seal = seal_of(Settings(data_dir=tmp_path))
    sealed = seal.of(Purpose.KEY, "a", "bc")
    assert seal.fits(sealed, Purpose.KEY, "a", "bc")
    assert not seal.fits(sealed, Purpose.PASS, "a", "bc")
    assert not seal.fits(sealed, Purpose.KEY, "ab", "c")
    assert not seal.fits("", Purpose.KEY, "a", "bc")


def test_a_secret_that_can_be_guessed_is_refused_without_being_said() -> None:
    with pytest.raises(ValueError, match="32 characters") as refused:
        Settings.model_validate({"secret_key": "hunter2"})
    assert "hunter2" not in str(refused.value)
