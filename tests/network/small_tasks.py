"""Tasks for the tests of executors: processes and clusters import them by name."""

from __future__ import annotations

import os
import signal
import time


def square(number):
    return number * number


def slow_square(number):
    time.sleep(0.05)
    return number * number


def fail_on_three(number):
    if number == 3:
        raise ValueError("three is not allowed")
    return number


def die_once(job):
    """End the process at the first call: a file remembers that it was made."""
    number, neighbour = job
    if number == 3 and not os.path.exists(neighbour):
        with open(neighbour, "w"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return number


def die_always(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return number
