"""A confined child answers once, under limits, and is gone afterwards with all it started."""

import asyncio
import os
from pathlib import Path

import pytest

from storage.files.confined import ChildLimits, Crashed, InspectionFailed, Overrun, ask
from tests.eventually import eventually_so
from tests.storage.children import is_gone
from tests.storage.pictures import written

_LIMITS = ChildLimits(wall_seconds=60, cpu_seconds=5, memory_bytes=1024**3, file_bytes=1000)


async def ask_script(folder: Path, work: str, limits: ChildLimits = _LIMITS, **request: object) -> object:
    """Ask a child whose work is this Python code; it sees its request, and leaves its answer in `said`."""
    lines = "".join(f"    {line}\n" for line in work.splitlines())
    script = (
        "import os, signal, subprocess, sys\nfrom storage.files.child_limits import answer\n"
        f"def work(request):\n    said = {{}}\n{lines}    return said\nanswer(work)\n"
    )
    return await ask(written(folder / "child.py", script.encode()), request, libraries=[], limits=limits)


async def test_a_child_answers_its_request(tmp_path: Path) -> None:
    assert await ask_script(tmp_path, "said['twice'] = request['number'] * 2", number=21) == {"twice": 42}


async def test_what_goes_wrong_in_a_child_is_told(tmp_path: Path) -> None:
    assert await ask_script(tmp_path, "raise KeyError('x')") == {"failed": "KeyError('x')"}


async def test_a_child_has_no_environment_and_no_libraries_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNWAY_API_KEY", "key_secret")
    said = await ask_script(tmp_path, "said['keys'] = sorted(os.environ)")
    assert isinstance(said, dict)
    assert "RUNWAY_API_KEY" not in said["keys"]
    assert await ask_script(tmp_path, "import pydantic") == {
        "failed": "ModuleNotFoundError(\"No module named 'pydantic'\")"
    }


async def test_a_child_cannot_write_a_large_file(tmp_path: Path) -> None:
    for size, outcome in ((1000, {}), (1001, {"failed": "OSError(27, 'File too large')"})):
        code = f"with open({str(tmp_path / 'file')!r}, 'wb', 0) as file:\n    for _ in range({size}): file.write(b'x')"
        assert await ask_script(tmp_path, code) == outcome


async def test_a_child_cannot_take_more_memory(tmp_path: Path) -> None:
    assert await ask_script(tmp_path, "bytes(1024**3)") == {"failed": "MemoryError()"}


@pytest.mark.parametrize(
    ("work", "error", "reason"),
    [
        ("while True: pass", Overrun, "more than 1 s of processor time"),
        ("signal.pause()", Overrun, "longer than 3 s"),
        ("os.abort()", Crashed, "SIGABRT"),
        ("os._exit(3)", InspectionFailed, "status 3 and no answer"),
        ("os.kill(os.getpid(), signal.SIGKILL)", InspectionFailed, "status -9"),
        ("sys.stdout.write('x' * 5000); sys.stdout.flush()", InspectionFailed, "without end"),
        ("print('no JSON'); sys.stdout.flush()", InspectionFailed, "not answer in JSON"),
    ],
)
async def test_every_other_end_has_its_name(
    tmp_path: Path, work: str, error: type[Exception], reason: str
) -> None:
    limits = _LIMITS.model_copy(update={"wall_seconds": 3, "cpu_seconds": 1, "answer_bytes": 1000})
    with pytest.raises(error, match=reason):
        await ask_script(tmp_path, work, limits)


async def test_a_missing_library_is_our_own_fault(tmp_path: Path) -> None:
    with pytest.raises(InspectionFailed, match="no_such_library is not installed"):
        await ask(tmp_path / "child.py", {}, libraries=["no_such_library"], limits=_LIMITS)


_WITH_A_CHILD_OF_ITS_OWN = """
started = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])
with open(request['note'] + '.new', 'w') as note: note.write(str(started.pid))
os.rename(request['note'] + '.new', request['note'])
signal.pause()
"""


async def test_cancelling_ends_also_what_the_child_has_started(tmp_path: Path) -> None:
    note = tmp_path / "note"
    asking = asyncio.create_task(ask_script(tmp_path, _WITH_A_CHILD_OF_ITS_OWN, note=str(note)))
    await eventually_so(note.exists)
    grandchild = int(note.read_text())
    os.kill(grandchild, 0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await eventually_so(lambda: is_gone(grandchild) or is_zombie(grandchild))


def is_zombie(pid: int) -> bool:
    """Dead, but nobody has asked how it ended: its parent is dead too, and some systems leave it so."""
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()
