"""What the parts of a stack find in their environment."""

from pathlib import Path

from cli.running.environment import for_parts
from cli.running.ports import Ports
from domain.generation import DeploymentMode
from runtime.settings import Settings

PORTS = Ports(api=1, sandbox=2, temporal=3, temporal_ui=4)


def test_pretend_providers_see_no_real_key() -> None:
    environ = {"RUNWAY_API_KEY": "real", "OPENAI_API_KEY": "real", "PATH": "/bin"}
    given = for_parts(environ, Settings(mode=DeploymentMode.SANDBOX), PORTS)
    assert "real" not in given.values()
    assert given["PATH"] == "/bin"
    assert given["VIDEOPLANET_MODE"] == "sandbox"


def test_real_providers_see_their_keys() -> None:
    given = for_parts({"RUNWAY_API_KEY": "real"}, Settings(mode=DeploymentMode.LIVE), PORTS)
    assert given["RUNWAY_API_KEY"] == "real"
    assert given["VIDEOPLANET_MODE"] == "live"


def test_the_parts_are_told_the_ports_and_the_whole_path_of_the_folder() -> None:
    given = for_parts({}, Settings(data_dir=Path("here")), PORTS)
    assert given["VIDEOPLANET_DATA_DIR"] == str(Path("here").absolute())
    names = ("API", "SANDBOX", "TEMPORAL", "TEMPORAL_UI")
    assert [given[f"VIDEOPLANET_{name}_PORT"] for name in names] == ["1", "2", "3", "4"]


def test_our_own_temporal_server_is_not_asked_with_what_the_user_has_for_another() -> None:
    given = for_parts({"TEMPORAL_NAMESPACE": "theirs", "TEMPORAL_API_KEY": "theirs"}, Settings(), PORTS)
    assert given["TEMPORAL_ADDRESS"] == "127.0.0.1:3"
    assert "theirs" not in given.values()


def test_a_named_temporal_server_is_asked_with_all_that_is_set_for_it() -> None:
    environ = {"TEMPORAL_ADDRESS": "there:7233", "TEMPORAL_NAMESPACE": "ours"}
    given = for_parts(environ, Settings(), PORTS)
    assert environ.items() <= given.items()
