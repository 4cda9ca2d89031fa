"""Python reads this file at its start when its folder is on PYTHONPATH: the network then ends at this machine.

The notebooks are tested with it, worker processes included, which proves that the course needs no download.
"""

import ipaddress
import socket


def refuse_outside(host: object) -> None:
    """Raise OSError for every host but this machine."""
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in ("", "localhost", "None", "0.0.0.0", "::"):
        return
    try:
        inside = ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise OSError(f"the network is blocked while notebooks are tested: {name} was asked for")


def guarded(method: object) -> object:
    """The socket method ``method`` for addresses of this machine only; unix sockets pass."""

    def call(self: socket.socket, address: object, *rest: object) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse_outside(address[0])
        return method(self, address, *rest)

    return call


def guarded_lookup(host: object, *arguments: object, **options: object) -> object:
    """Name resolution for this machine only: a look-up is traffic too."""
    refuse_outside(host)
    return look_up(host, *arguments, **options)


look_up = socket.getaddrinfo
socket.getaddrinfo = guarded_lookup
socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)
