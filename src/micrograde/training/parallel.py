"""Train several stacks on all cores: one thread per core, each with one stack at a time.

NumPy releases the interpreter's lock inside large operations, so stacks of a hundred replicas train side by
side; small ones would compete for it. What a stack computes does not depend on how many train at a time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

from micrograde.training.loop import Departure, EpochRecord, Training
from micrograde.training.snapshots import Snapshot
from micrograde.training.step_log import StepRecord

Event = EpochRecord | StepRecord | Departure | Snapshot

# How large a stack should be, by how many numbers an operation on its widest layer handles: replicas times
# batch times units. Larger stacks do not fit into the cache, and with smaller ones two threads compete for
# the interpreter's lock. Digits, us per model and step: 10.2 with one stack of 64; on two threads 11.8 with
# stacks of 32, 8.1 of 64, 6.8 of 128. With 784-128-10 networks and batches of 128, stacks of 4 are enough
# for a second thread to pay.
_NUMBERS_WANTED = 2**17
_NUMBERS_AT_LEAST = 2**16

_WAITING = 64  # events that may wait to be recorded before training waits, too


def replicas_per_stack(count: int, workers: int, numbers: int) -> int:
    """Return how many of ``count`` replicas should make a stack, when ``workers`` stacks train at a time.

    ``numbers`` is how many numbers of one replica an operation on its widest layer handles.
    """
    shared_out = max(-(-count // workers), -(-_NUMBERS_AT_LEAST // numbers))
    return max(1, min(count, _NUMBERS_WANTED // numbers, shared_out))


class StackRunner:
    """Trains stacks and yields the events of all of them as they happen.

    Parameters
    ----------
    makers
        Functions that each make one stack, called in the thread that trains it; None means that there is
        nothing to train.
    workers
        How many stacks train at a time. With one, or a single stack, they train in the caller's thread.
    closing
        Once it is set, no further stack is made.
    """

    def __init__(
        self,
        makers: Sequence[Callable[[], Training | None]],
        workers: int,
        closing: threading.Event | None = None,
    ) -> None:
        self._makers, self._workers = makers, min(workers, len(makers))
        self._closing = closing or threading.Event()
        self._queue: Queue[tuple[int, Event | None]] = Queue()
        self._room = threading.Semaphore(_WAITING)
        self._interrupted = threading.Event()
        self._going_on: dict[int, Training] = {}
        self._busy = 0

    def run(self) -> Iterator[tuple[int, Event]]:
        """Train all stacks; yield the number of a stack and an event of it."""
        if self._workers <= 1:
            for number in range(len(self._makers)):
                yield from self._train(number)
            return
        pool = ThreadPoolExecutor(self._workers)
        try:
            self._busy = len(self._makers)
            futures = [pool.submit(self._work, number) for number in range(len(self._makers))]
            yield from self._drain()
            for future in futures:
                future.result()
        finally:
            self._interrupted.set()  # if the caller broke off, threads that still train end with their epoch
            pool.shutdown(wait=False)

    def cancel(self, number: int, replica: int) -> None:
        """Make one replica of a stack leave after the epoch that is in training."""
        training = self._going_on.get(number)
        if training is not None:  # else it has just ended
            training.cancel(replica)

    def leave(self) -> Iterator[tuple[int, Departure]]:
        """Make every replica that is still in training leave as it is, after an interrupt."""
        self._interrupted.set()
        for number, event in self._drain():  # waits until the threads have ended their epoch
            if isinstance(event, Departure):
                yield number, event
        for number, training in self._going_on.items():
            for departure in training.leave():
                yield number, departure

    def _train(self, number: int) -> Iterator[tuple[int, Event]]:
        if self._interrupted.is_set() or self._closing.is_set():
            return
        training = self._makers[number]()
        if training is None:
            return
        self._going_on[number] = training
        for event in training.run():
            yield number, event
            if self._interrupted.is_set():
                return
        del self._going_on[number]

    def _work(self, number: int) -> None:
        try:
            for event in self._train(number):
                while not self._room.acquire(timeout=0.1) and not self._interrupted.is_set():
                    pass
                self._queue.put(event)
        finally:
            self._queue.put((number, None))

    def _drain(self) -> Iterator[tuple[int, Event]]:
        """Yield what the threads put into the queue, until all of them are done."""
        while self._busy:
            number, event = self._queue.get()
            if event is None:
                self._busy -= 1
            else:
                self._room.release()
                yield number, event
