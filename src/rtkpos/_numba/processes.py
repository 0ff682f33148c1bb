"""Tasks shared with helper processes: each is done once, by whoever is free.

Compiling keeps one processor busy with Python. Processes do it side by side and find each other's
results in the cache on disk. A helper that dies leaves its task to whoever needs the result.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import TracebackType

from rtkpos._numba.isolation import isolated_python

Tasks = Mapping[str, Callable[[], object]]
_HELPER = "import sys; from rtkpos._numba.processes import help_with; help_with(*sys.argv[1:])"
_PAUSE_S = 0.01


def n_process_usable() -> int:
    """Processes of this Python that can run side by side; 1 where no other could be started."""
    name = os.path.basename(sys.executable or "").lower()
    if getattr(sys, "frozen", False) or not name.startswith("python"):
        return 1
    return n_usable_cpu()


def n_usable_cpu() -> int:
    """Processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WorkerProcesses:
    """Helpers at work on the tasks that a function returns.

    tasks_of : module and name of the function      n_helper : processes beside this one
    Leaving the `with` block ends those that are still at work.
    """

    def __init__(self, tasks_of: tuple[str, str], n_helper: int) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="rtkpos-workers-")
        self._folder = Path(self._place.name)
        command, environment = isolated_python(_HELPER, *tasks_of, str(self._folder))
        self._helpers = [
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            for _ in range(n_helper)
        ]

    def __enter__(self) -> WorkerProcesses:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for helper in self._helpers:
            helper.terminate()
            helper.wait()
        self._place.cleanup()

    def work(self, tasks: Tasks) -> None:
        """Do those of the tasks that nobody has begun, in their order."""
        _work(self._folder, tasks)

    def wait(self, names: Iterable[str]) -> None:
        """Wait until the tasks of these names are done, or no helper is left to do them."""
        waiting = set(names)
        while waiting and any(helper.poll() is None for helper in self._helpers):
            waiting = {name for name in waiting if not _mark(self._folder, name, "done").exists()}
            time.sleep(_PAUSE_S)


def help_with(module: str, function: str, folder: str) -> None:
    """What a helper does: the tasks that `function` of a module returns."""
    with suppress(FileNotFoundError):  # the others are done and gone
        _work(Path(folder), getattr(import_module(module), function)())


def _work(folder: Path, tasks: Tasks) -> None:
    """Do those of the tasks that nobody has begun."""
    for name, task in tasks.items():
        try:
            _mark(folder, name, "begun").touch(exist_ok=False)
        except FileExistsError:
            continue
        task()
        _mark(folder, name, "done").touch()


def _mark(folder: Path, name: str, state: str) -> Path:
    """The file that says how far a task is."""
    return folder / f"{name}.{state}"
