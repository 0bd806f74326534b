"""One supervisor per data folder, also while parts of a killed one still run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.running.lock import FolderInUse, FolderLock, running
from tests.eventually import wait_until


def test_a_second_supervisor_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    first.take_up()
    with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        FolderLock(tmp_path).take_up()
    first.release()
    second = FolderLock(tmp_path)
    second.take_up()
    second.release()


def test_a_look_at_a_folder_tells_whether_it_is_in_use(tmp_path: Path) -> None:
    assert not running(tmp_path)
    lock = FolderLock(tmp_path)
    lock.take_up()
    assert running(tmp_path)
    lock.release()
    assert not running(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux to find who holds a lock")
def test_a_part_that_outlives_its_supervisor_keeps_the_parts_lock_and_is_found(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    descriptor = first.take_parts()
    assert descriptor is not None
    part = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    first.release()

    second = FolderLock(tmp_path)
    assert second.take_parts() is None
    assert second.leftovers() == [part.pid]

    part.communicate(b"\n")
    wait_until(lambda: second.take_parts() is not None, what="the lock is free")
    second.release()
