"""What docs/security.md names exists: each risk with its test, each guard at its place."""

import re

from tests.stack import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()


def test_each_of_the_ten_risks_has_one_test_file_and_one_row() -> None:
    files = {path.name for path in (ROOT / "tests" / "security").glob("test_owasp_*.py")}
    rows = re.findall(r"^\| API(\d+) .*\| `(test_owasp_api\d+_)\*` \|$", TEXT, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 11))
    assert all(name == f"test_owasp_api{number}_" for number, name in rows)
    assert len(files) == 10
    for _, name in rows:
        assert len([one for one in files if one.startswith(name)]) == 1, name


def test_every_guard_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:api|domain|providers|storage|runtime)/(?:\w+/)*\w+\.py)`", TEXT))
    assert len(named) > 20
    assert {path for path in named if not (ROOT / path).is_file()} == set()


def test_every_setting_that_is_named_exists() -> None:
    known = (ROOT / "runtime" / "settings.py").read_text()
    for name in set(re.findall(r"VIDEOPLANET_([A-Z_]+)\b", TEXT)):
        assert re.search(rf"\b{name.lower()}\b", known), name


def test_the_readme_leads_there() -> None:
    assert "(docs/security.md)" in (ROOT / "README.md").read_text()
