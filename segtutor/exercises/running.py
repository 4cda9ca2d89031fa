"""Calls a learner's function so that nothing it does reaches the notebook: it may fail, print, warn or never end."""

from __future__ import annotations

import contextlib
import copy
import dis
import importlib
import io
import linecache
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from segtutor.exercises.comparison import difference, plain

MOST_PRINTED = 400
LONGEST_WAIT = 5
"""So many times its limit may a call take on a machine that is busy with other work."""
ASLEEP = 0.05
"""Who computes for a smaller share of the time than this does not wait for the processor but sleeps."""


class TimeIsUp(BaseException):
    """Ends a call that takes too long; not an Exception, so that ``except Exception`` in an answer lets it through."""


@dataclass(frozen=True)
class Outcome:
    """What became of one call.

    Attributes:
        kind: "returned"; "raised", with the error's name and a message; "empty", for a stub; "slow"; "changed", for
            an argument that the function wrote to, named by its position; "died", if the process ended with it, which
            only grading sees.
        value: What came back.
        error: Name of the error, "ZeroDivisionError".
        message: The error's text.
        line: The learner's line that raised it, with its number.
        position: Position of the argument that was changed.
        printed: The beginning of what was printed.
    """

    kind: Literal["returned", "raised", "empty", "slow", "changed", "died"]
    value: Any = None
    error: str = ""
    message: str = ""
    line: str = ""
    position: int = 0
    printed: str = ""


class _ShortText(io.TextIOBase):
    """Keeps the beginning of what is printed and drops the rest, so that a loop of prints fills no memory."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text[: MOST_PRINTED - len(self.text)]
        return len(text)


def call(function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float) -> Outcome:
    """Call a function on copies of the arguments, for at most so many seconds.

    The time limit is a timer signal in the main thread where the system has one, else (Windows, other threads) a trace
    function. Either stops every loop written in Python; a loop inside compiled code is only stopped when it returns.
    What counts is time in which the function really computed, or slept: on a busy machine it may take longer.
    """
    own = copy.deepcopy(arguments)
    printed = _ShortText()
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            value = limited(lambda: function(*own), seconds)
    except TimeIsUp:
        return Outcome("slow", printed=printed.text)
    except NotImplementedError:
        return Outcome("empty")
    except BaseException as error:  # the answer may also raise SystemExit
        return Outcome(
            "raised",
            error=type(error).__name__,
            message=" ".join(str(error).split())[:300],
            line=_learners_line(error, function),
            printed=printed.text,
        )
    if value is Ellipsis or (value is None and _is_blank(function)):
        return Outcome("empty")
    for position, (after, before) in enumerate(zip(own, arguments, strict=True)):
        if _changed(after, before):
            return Outcome("changed", value, position=position, printed=printed.text)
    return Outcome("returned", value, printed=printed.text)


def load_imports(function: Callable[..., Any]) -> None:
    """Import what the function imports, before its time runs: a large package interrupted halfway is left unusable."""
    for code in _codes(getattr(function, "__code__", None)):
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME" and step.argval and step.argval not in sys.modules:
                with contextlib.suppress(Exception):  # the call itself will tell
                    importlib.import_module(step.argval)


def _codes(code: types.CodeType | None) -> Iterator[types.CodeType]:
    """A function's code and that of the functions inside it."""
    if code is not None:
        yield code
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                yield from _codes(constant)


def limited(function: Callable[[], Any], seconds: float) -> Any:
    """Call a function; raises TimeIsUp when the time is over."""
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        return _limited_by_signal(function, seconds)
    return _limited_by_trace(function, seconds)


class Clock:
    """Counts the seconds that a thread uses: those in which it computes, and those in which it sleeps.

    Waiting for a processor that is busy with other work counts a fifth.
    """

    def __init__(self) -> None:
        self._started, self._started_computing = time.monotonic(), time.thread_time()

    @property
    def used(self) -> float:
        """Seconds used since the clock was made; ask in the thread that made it."""
        passed, computed = time.monotonic() - self._started, time.thread_time() - self._started_computing
        return passed if computed < ASLEEP * passed else max(computed, passed / LONGEST_WAIT)


def _importing(frame: types.FrameType | None) -> bool:
    """Whether an import is going on in a frame or in one that called it."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _limited_by_signal(function: Callable[[], Any], seconds: float) -> Any:
    armed = True
    clock = Clock()

    def ring(_number: int, frame: types.FrameType | None) -> None:
        nonlocal clock
        if not armed or clock.used < seconds:
            return
        if _importing(frame):  # a package interrupted halfway is left unusable, and its time is not the answer's
            clock = Clock()
            return
        # A bare `except:` in a loop would swallow one exception: from now on every line of the answer raises another.
        sys.settrace(raise_again)
        while frame is not None and frame.f_code is not _limited_by_signal.__code__:
            frame.f_trace = raise_again
            frame = frame.f_back
        raise TimeIsUp

    def raise_again(_frame: types.FrameType, _event: str, _argument: Any) -> Any:
        if armed:
            raise TimeIsUp

    started, tracer = time.monotonic(), sys.gettrace()
    handler = signal.signal(signal.SIGALRM, ring)
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 0.05)
    try:
        try:
            return function()
        finally:
            armed = False
    finally:
        sys.settrace(tracer)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, max(remaining - (time.monotonic() - started), 1e-3), interval)


def _limited_by_trace(function: Callable[[], Any], seconds: float) -> Any:
    clock, tracer = Clock(), sys.gettrace()

    def watch(frame: types.FrameType, _event: str, _argument: Any) -> Any:
        nonlocal clock
        if clock.used > seconds:
            if _importing(frame):
                clock = Clock()
                return watch
            raise TimeIsUp
        return watch

    sys.settrace(watch)
    try:
        return function()
    finally:
        sys.settrace(tracer)


def _is_blank(function: Callable[..., Any]) -> bool:
    """Whether a function has no body but a docstring, `pass` or `...`."""
    code = getattr(function, "__code__", None)
    harmless = {"RESUME", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP", "NOP", "CACHE"}
    return code is not None and {step.opname for step in dis.get_instructions(code)} <= harmless


def _changed(after: Any, before: Any) -> bool:
    after, before = plain(after), plain(before)
    if type(after) is not type(before):
        return True
    if isinstance(before, np.ndarray):
        return after.shape != before.shape or difference(after, before, 0.0) is not None
    if isinstance(before, (list, tuple)):
        return len(after) != len(before) or any(_changed(a, b) for a, b in zip(after, before, strict=True))
    if isinstance(before, dict):
        return after.keys() != before.keys() or any(_changed(after[key], before[key]) for key in before)
    return bool(after != before)


def _learners_line(error: BaseException, function: Callable[..., Any]) -> str:
    """The last line of the traceback that lies in the file or notebook cell of the function."""
    code = getattr(function, "__code__", None)
    frames = []
    step = error.__traceback__
    while step is not None:
        frames.append((step.tb_frame.f_code.co_filename, step.tb_lineno))
        step = step.tb_next
    own = [frame for frame in frames if code is not None and frame[0] == code.co_filename]
    if not own:
        return ""
    source = linecache.getline(*own[-1]).strip()
    return f"line {own[-1][1]}: {source}" if source else f"line {own[-1][1]}"
