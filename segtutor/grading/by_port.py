"""A line to a program where none can be inherited: it connects to a port of this machine, and says a token first."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from typing import Any


def connected_by_port(start: Callable[[str], Any], ends: float) -> socket.socket:
    """A socket to a program that connects to a port of this machine and says a token first.

    Args:
        start: Starts it with the address.
        ends: When to give up, by the monotonic clock.

    Raises:
        ValueError: If it does not come.
    """
    token = secrets.token_hex(16)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(max(1.0, min(60.0, ends - time.monotonic())))
        start(f"port:{server.getsockname()[1]}:{token}")
        try:
            near, _ = server.accept()
            near.settimeout(10.0)
            said = near.recv(len(token) + 1, socket.MSG_WAITALL)
        except OSError as error:
            raise ValueError(f"the worker did not start: {error}") from None
        if said != token.encode() + b"\n":
            near.close()
            raise ValueError("somebody else than the worker called")
        near.settimeout(None)
        return near
