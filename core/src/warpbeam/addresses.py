"""
How a node finds its own address.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from functools import partial
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable


def address_by_hostname() -> str:
    """
    Return the address that the host's own name resolves to.

    Raises:
        OSError: it does not resolve.
    """
    return socket.gethostbyname(socket.gethostname())


def address_by_route() -> str:
    """
    Return the address from which traffic to the world would leave; nothing is sent.

    Raises:
        OSError: there is no route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # TEST-NET-1 of RFC 5737: connecting a datagram socket sends nothing
        return str(probe.getsockname()[0])


def address_by_interface(ifname: str) -> str:
    """
    Return the IPv4 address of a network interface.

    Raises:
        OSError: there is no such interface, or it has no address; names the interfaces there are.
    """
    if sys.platform == "win32":
        raise OSError("the address of an interface cannot be asked for on Windows; use address_by_route()")
    try:
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            request = struct.pack("256s", ifname.encode()[:15])
            answer = fcntl.ioctl(probe.fileno(), 0x8915, request)  # SIOCGIFADDR
    except (ImportError, OSError) as error:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise OSError(f"interface {ifname!r} has no address ({error}); the interfaces are {names}") from error
    return socket.inet_ntoa(answer[20:24])


def address_by_query(timeout: float = 30, *, url: str = "https://api.ipify.org") -> str:
    """
    Return the address under which a server on the internet sees this host; nothing in warpbeam calls this of itself.

    Args:
        timeout: seconds to wait for the answer.
        url: the server to ask, which answers with the address as text.

    Raises:
        OSError: the server cannot be reached in time, or its answer is no address.
    """
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=timeout) as answer:  # noqa: S310  (the caller's own url)
            text = answer.read(100).decode("ascii", "replace").strip()
        return str(ipaddress.ip_address(text))
    except (OSError, HTTPException, ValueError) as error:
        others = "address_by_route(), address_by_interface(name) or address_by_hostname()"
        raise OSError(f"{url} does not tell this host's address ({error}); use {others}") from error


def get_all_addresses() -> set[str]:
    """
    Return every IPv4 address that this host is known to have.
    """
    found: set[str] = set()
    ways: list[Callable[[], str]] = [address_by_hostname, address_by_route]
    ways += [partial(address_by_interface, name) for _, name in socket.if_nameindex()]
    for way in ways:
        try:
            found.add(way())
        except OSError:
            continue
    return found


def get_any_address() -> str:
    """
    Return an address under which others can probably reach this host; a loopback one only if there is no other.

    Raises:
        OSError: none is found.
    """
    found = sorted(get_all_addresses(), key=lambda text: (ipaddress.ip_address(text).is_loopback, text))
    if not found:
        raise OSError("this host has no IPv4 address")
    return found[0]


def tcp_url(address: str, port: int | None = None) -> str:
    """
    Return the URL of a TCP address, with brackets round an IPv6 one; ``"*"`` stays.

    >>> tcp_url("::1", 80), tcp_url("10.0.0.1"), tcp_url("*", 5)
    ('tcp://[::1]:80', 'tcp://10.0.0.1', 'tcp://*:5')
    """
    host = address
    try:
        if ipaddress.ip_address(address).version == 6:
            host = f"[{address}]"
    except ValueError:
        pass  # a name, or *
    return f"tcp://{host}" + f":{port}" * (port is not None)
