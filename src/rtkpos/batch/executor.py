"""Where tasks run: threads, processes, or a cluster, behind the same three calls.

A task is a function of one job; function, job and result must be picklable, and a task must give
the same result when it is run again: one whose worker is lost runs again elsewhere.
"""

from __future__ import annotations

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rtkpos._numba.isolation import isolated_children
from rtkpos._numba.processes import n_usable_cpu
from rtkpos.errors import ConfigError, RtkposError

Task = Callable[[Any], Any]
KINDS = ("threads", "processes", "cluster")


class WorkerLostError(RtkposError):
    """A job ended the process that ran it, again when it ran there alone."""


class Executor(ABC):
    """Runs tasks and hands their results back as they end.

    n_worker : tasks at a time
    `submit` gives a handle, `gather` yields handles with results, `map` does both for many jobs. A
    task that fails has its exception as result; it stops no other.
    """

    n_worker: int

    @abstractmethod
    def submit(self, task: Task, job: Any) -> Any:
        """Start a task as soon as a worker is free; returns a handle for `gather`."""

    @abstractmethod
    def _wait(self, handles: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Handles that ended with their result or exception; waits for at least one."""

    @abstractmethod
    def close(self) -> None:
        """End the workers; what runs is waited for, what waits is dropped."""

    def gather(self, handles: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Each handle with its result or exception, in the order in which they end."""
        left = list(handles)
        while left:
            for handle, result in self._wait(left):
                left.remove(handle)
                yield handle, result

    def map(
        self, task: Task, jobs: Iterable[Any], on_start: Callable[[int], Any] | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Number of each job with its result or exception, in the order in which they end.

        No more jobs than workers are under way, so that a million of them take no memory, and
        on_start(number) is called just before one is.
        """
        waiting = enumerate(jobs)
        under_way: dict[Any, int] = {}
        while True:
            while len(under_way) < max(1, self.n_worker):
                number, job = next(waiting, (-1, None))
                if number < 0:
                    break
                if on_start is not None:
                    on_start(number)
                under_way[self.submit(task, job)] = number
            if not under_way:
                return
            for handle, result in self._wait(list(under_way)):
                yield under_way.pop(handle), result

    def __enter__(self) -> Self:
        """The executor itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def _outcome(future: Future[Any]) -> Any:
    """Result of an ended future, or its exception."""
    error = future.exception()
    return future.result() if error is None else error


class ThreadExecutor(Executor):
    """Threads of this process: the right choice for tasks that spend their time in kernels."""

    def __init__(self, n_worker: int | None = None) -> None:
        self.n_worker = _checked_number(n_worker)
        self._pool = ThreadPoolExecutor(self.n_worker, thread_name_prefix="rtkpos")

    def submit(self, task: Task, job: Any) -> Any:
        """A future."""
        return self._pool.submit(task, job)

    def _wait(self, handles: Sequence[Any]) -> list[tuple[Any, Any]]:
        done, _ = wait(handles, return_when=FIRST_COMPLETED)
        return [(future, _outcome(future)) for future in handles if future in done]

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@dataclass(eq=False)
class _Ticket:
    """A task in a process, which may be started a second time.

    own_pool : of the second start, which the job has for itself
    """

    task: Task
    job: Any
    future: Future[Any]
    own_pool: ProcessPoolExecutor | None = None


class ProcessExecutor(Executor):
    """Processes of this machine.

    A process that dies takes all that were under way with it: each of these runs once more, alone
    in a process of its own, and one that ends that, too, has WorkerLostError as result.
    """

    def __init__(self, n_worker: int | None = None) -> None:
        self.n_worker = _checked_number(n_worker)
        self._pool = self._new_pool(self.n_worker)
        self._own_pools: list[ProcessPoolExecutor] = []

    @staticmethod
    def _new_pool(n_worker: int) -> ProcessPoolExecutor:
        # Not forked: threads of the parent may hold locks that the child would wait for forever.
        with isolated_children():  # a pool watches its semaphores with a process
            return ProcessPoolExecutor(n_worker, mp_context=multiprocessing.get_context("spawn"))

    @staticmethod
    def _submit(pool: ProcessPoolExecutor, task: Task, job: Any) -> Future[Any]:
        """A future of the pool."""
        with isolated_children():  # a pool starts its processes when it gets a task
            return pool.submit(task, job)

    def submit(self, task: Task, job: Any) -> Any:
        """A ticket."""
        try:
            future = self._submit(self._pool, task, job)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._new_pool(self.n_worker)
            future = self._submit(self._pool, task, job)
        return _Ticket(task, job, future)

    def _wait(self, handles: Sequence[Any]) -> list[tuple[Any, Any]]:
        while True:
            done, _ = wait([ticket.future for ticket in handles], return_when=FIRST_COMPLETED)
            ended = [ticket for ticket in handles if ticket.future in done]
            outcomes = [(ticket, self._outcome_or_restart(ticket)) for ticket in ended]
            settled = [pair for pair in outcomes if pair[1] is not _RESTARTED]
            if settled:
                return settled

    def _outcome_or_restart(self, ticket: _Ticket) -> Any:
        """Result or exception of an ended ticket, or _RESTARTED."""
        result = _outcome(ticket.future)
        was_lost = isinstance(result, BrokenProcessPool)
        if ticket.own_pool is not None:
            ticket.own_pool.shutdown(wait=False)
            self._own_pools.remove(ticket.own_pool)
            if was_lost:
                return WorkerLostError("the job ended its process twice, the second time alone.")
        elif was_lost:
            ticket.own_pool = self._new_pool(1)
            self._own_pools.append(ticket.own_pool)
            ticket.future = self._submit(ticket.own_pool, ticket.task, ticket.job)
            return _RESTARTED
        return result

    def close(self) -> None:
        """End the processes."""
        for pool in (self._pool, *self._own_pools):
            pool.shutdown(wait=True, cancel_futures=True)


_RESTARTED = object()


class ClusterExecutor(Executor):
    """Workers of a Dask cluster: one that is there, or processes of this machine.

    address : of its scheduler, "" = start one here with n_worker processes
    timeout_s : how long a scheduler may take to answer
    The scheduler gives a lost worker's tasks to others; a task that cost several
    workers (Dask's setting `allowed-failures`) has WorkerLostError as result.
    """

    def __init__(
        self, address: str = "", n_worker: int | None = None, timeout_s: float = 30.0
    ) -> None:
        distributed = _distributed()
        self._wait_for, self._lost = distributed.wait, distributed.KilledWorker
        self._local: Any = None
        if not address:
            n_worker = _checked_number(n_worker)
            with isolated_children():
                self._local = distributed.LocalCluster(
                    n_workers=n_worker, threads_per_worker=1, dashboard_address=None
                )
        try:
            self._client = distributed.Client(self._local or address, timeout=timeout_s)
        except (OSError, ValueError, TimeoutError) as error:
            raise ConfigError(
                f"no cluster answers at {address!r} ({type(error).__name__}); give the address of "
                "a running scheduler, like tcp://host:8786."
            ) from None

    @property
    def n_worker(self) -> int:  # type: ignore[override]
        """Threads of all workers there are at the moment: a cluster grows and shrinks."""
        return sum(self._client.nthreads().values())

    def submit(self, task: Task, job: Any) -> Any:
        """A future of Dask."""
        return self._client.submit(task, job, pure=False)

    def _wait(self, handles: Sequence[Any]) -> list[tuple[Any, Any]]:
        done = self._wait_for(handles, return_when="FIRST_COMPLETED").done
        return [(future, self._outcome(future)) for future in handles if future in done]

    def _outcome(self, future: Any) -> Any:
        """Result or exception of an ended future, which is forgotten."""
        error = future.exception()
        result = future.result() if error is None else error
        future.release()
        if isinstance(result, self._lost):
            return WorkerLostError("the job ended every worker of the cluster it was given to.")
        return result

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        with suppress(OSError, TimeoutError):
            self._client.close()
        if self._local is not None:
            self._local.close()


def _distributed() -> Any:
    """Dask's package, ConfigError without it."""
    try:
        import distributed
    except ImportError:
        raise ConfigError(
            'a cluster needs Dask; install it with `pip install "rtkpos[cluster]"`, or use '
            "threads or processes."
        ) from None
    return distributed


def make_executor(kind: str, n_worker: int | None = None, address: str = "") -> Executor:
    """An executor by name: one of KINDS; address only for a cluster that runs already.

    Parameters
    ----------
    kind : str
        "threads", "processes" or "cluster".
    n_worker : int, optional
        Tasks at a time; by default one for each processor.
    address : str, optional
        Address of the scheduler of a cluster that runs already.

    Returns
    -------
    Executor
        The executor, to be used in a `with` statement.
    """
    if kind == "threads":
        return ThreadExecutor(n_worker)
    if kind == "processes":
        return ProcessExecutor(n_worker)
    if kind == "cluster":
        return ClusterExecutor(address, n_worker)
    raise ConfigError(f"executor must be one of {', '.join(KINDS)}; got {kind!r}.")


def _checked_number(n_worker: int | None) -> int:
    """A number of workers, by default one for each processor."""
    if n_worker is not None and n_worker < 1:
        raise ConfigError(f"the number of workers must be at least 1; got {n_worker}.")
    return n_worker or n_usable_cpu()
