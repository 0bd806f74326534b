"""Ports are kept, replaced or refused as the user would expect."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.running.ports import Claims, PortBusy, Ports, choose, is_free, load
from runtime.settings import Settings


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield server.getsockname()[1]


@contextmanager
def claims() -> Iterator[Claims]:
    held = Claims()
    try:
        yield held
    finally:
        held.release()


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with listening() as port:
        assert not is_free(port)
    assert is_free(port)


def test_all_chosen_ports_differ_and_are_remembered(tmp_path: Path) -> None:
    with claims() as held:
        chosen = choose(Settings(data_dir=tmp_path), held)
        assert len(set(chosen.model_dump().values())) == 4
        assert load(tmp_path) == chosen


def test_a_restarted_stack_has_its_ports_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with claims() as held:
        first = choose(settings, held)
    with claims() as held:
        assert choose(settings, held) == first


def test_a_busy_port_that_was_not_set_is_replaced(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with claims() as held:
        first = choose(settings, held)
    with listening(first.api), claims() as held:
        second = choose(settings, held)
    assert second.api != first.api
    assert second.sandbox == first.sandbox


def test_a_busy_port_that_was_set_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    with listening() as port, claims() as held:
        settings = Settings(data_dir=tmp_path, temporal_ui_port=port)
        with pytest.raises(PortBusy, match=f"port {port} .* VIDEOPLANET_TEMPORAL_UI_PORT"):
            choose(settings, held)


def test_a_busy_port_of_a_part_that_does_not_run_matters_to_nobody(tmp_path: Path) -> None:
    with listening() as port, claims() as held:
        settings = Settings(data_dir=tmp_path, sandbox_port=port)
        assert choose(settings, held, ("api", "temporal", "temporal_ui")).sandbox == port


def test_two_stacks_that_start_together_get_different_ports(tmp_path: Path) -> None:
    with claims() as one, claims() as other:
        folders = tmp_path / "a", tmp_path / "b"
        for folder in folders:
            folder.mkdir()
        first = choose(Settings(data_dir=folders[0]), one)
        second = choose(Settings(data_dir=folders[1]), other)
    assert set(first.model_dump().values()).isdisjoint(second.model_dump().values())


def test_a_damaged_memory_of_ports_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    assert load(tmp_path) is None
    with claims() as held:
        assert isinstance(choose(Settings(data_dir=tmp_path), held), Ports)
