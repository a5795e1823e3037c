"""
How a node finds its own address.
"""

from __future__ import annotations

import http.server
import ipaddress
import socket
import threading

import pytest
from warpbeam import addresses


@pytest.fixture(name="server")
def _server():
    """
    A server that says under which address it sees one; its answer can be changed.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer = self.server.answer
            if answer is None:
                self.server.release.wait(20)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answer, server.release = b"", threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


@pytest.mark.row("UTL-01")
class TestWays:
    def test_by_the_host_name(self, monkeypatch):
        """What the name resolves to."""
        monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
        assert addresses.address_by_hostname() == "127.0.0.1"
        monkeypatch.setattr(socket, "gethostname", lambda: "no-such-host.invalid")
        with pytest.raises(socket.gaierror):
            addresses.address_by_hostname()

    def test_by_an_interface(self):
        """The loopback interface has the loopback address."""
        name = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
        assert ipaddress.ip_address(addresses.address_by_interface(name)).is_loopback

    def test_an_interface_that_there_is_not(self):
        """The error names it, and those that there are."""
        name = socket.if_nameindex()[0][1]
        with pytest.raises(OSError, match=rf"'none0' has no address.*interfaces are.*{name}"):
            addresses.address_by_interface("none0")

    def test_by_the_route(self):
        """The address that traffic to the world leaves from, if there is a way; nothing is sent for that."""
        try:
            found = addresses.address_by_route()
        except OSError:
            pytest.skip("this host has no route to the world")
        assert ipaddress.ip_address(found) in map(ipaddress.ip_address, addresses.get_all_addresses())

    @pytest.mark.parametrize("answer", [b"203.0.113.9\n", b"2001:db8::1"])
    def test_by_a_query(self, server, answer):
        """A server says under which address it sees us."""
        server.answer = answer
        assert addresses.address_by_query(url=server.url) == answer.decode().strip()

    @pytest.mark.parametrize("answer", [b"", b"<html>please log in</html>", b"\xff\xfe"])
    def test_an_answer_that_is_no_address(self, server, answer):
        """The error names the server and the other ways."""
        server.answer = answer
        with pytest.raises(OSError, match=rf"{server.url} does not tell.*address_by_route"):
            addresses.address_by_query(url=server.url)

    def test_a_server_that_does_not_answer(self, server):
        """The time-out holds."""
        server.answer = None
        with pytest.raises(OSError, match="timed out"):
            addresses.address_by_query(timeout=0.05, url=server.url)

    def test_a_server_that_is_not_there(self):
        """A refused connection, or a URL that is none."""
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
            with pytest.raises(OSError, match="does not tell"):
                addresses.address_by_query(timeout=5, url=url)
        with pytest.raises(OSError, match="does not tell"):
            addresses.address_by_query(url="no url")

    def test_all_of_them(self):
        """A set of addresses, the loopback one among them; nobody outside is asked."""
        found = addresses.get_all_addresses()
        assert isinstance(found, set)
        assert any(ipaddress.ip_address(one).is_loopback for one in found)

    def test_any_of_them(self, monkeypatch):
        """A loopback one only if there is no other, and an error if there is none."""
        assert addresses.get_any_address() in addresses.get_all_addresses()
        for found, best in (({"127.0.0.1", "10.0.0.7"}, "10.0.0.7"), ({"127.0.0.1"}, "127.0.0.1")):
            monkeypatch.setattr(addresses, "get_all_addresses", lambda found=found: found)
            assert addresses.get_any_address() == best
        monkeypatch.setattr(addresses, "get_all_addresses", set)
        with pytest.raises(OSError, match="no IPv4 address"):
            addresses.get_any_address()


@pytest.mark.row("UTL-01")
class TestUrls:
    @pytest.mark.parametrize(
        ("given", "url"),
        [
            (("10.0.0.1", 80), "tcp://10.0.0.1:80"),
            (("10.0.0.1",), "tcp://10.0.0.1"),
            (("::1", 80), "tcp://[::1]:80"),
            (("fe80::1",), "tcp://[fe80::1]"),
            (("*", 5000), "tcp://*:5000"),
            (("*",), "tcp://*"),
            (("node3.cluster", 0), "tcp://node3.cluster:0"),
        ],
    )
    def test_tcp(self, given, url):
        """IPv6 in brackets; names and the star as they are; the port if one is given."""
        assert addresses.tcp_url(*given) == url
