"""HTTP client for untrusted servers, bounded in origin, bytes and time.

A credential is sent to the origin that it was meant for (scheme, host and port) and to no other; a
POST is never redirected; only http and https are spoken, and plain http beyond this machine only if
that is asked for. Messages of errors hold neither headers
nor addresses beyond a host, because both may hold secrets.
"""

import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from speechdt.errors import SpeechdtError

if TYPE_CHECKING:
    import httpx2

MOST_BYTES = 1_000_000
"""Bytes of a reply, above which it is given up."""
MOST_REDIRECTS = 5
"""Redirects of one GET or HEAD."""
SCHEMES = ("http", "https")


class ServerError(SpeechdtError):
    """A server gave no reply that can be used; the message is one line that says why."""


class ServerTimeout(ServerError):
    """The reply was not complete in time."""


@dataclass(frozen=True)
class Reply:
    """Reply of a server.

    Attributes
    ----------
    status : int
        HTTP status.
    body : bytes
        Empty unless the status says success (200 to 299).
    """

    status: int
    body: bytes


def check_url(url: str, *, plain_http: bool = False) -> None:
    """Raise a ValueError of one line unless `url` is an http or https address with a host.

    Parameters
    ----------
    url : str
    plain_http : bool
        Whether http, which all on the way can read, may go beyond this machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the address is none: its host or port cannot be read") from None
    if parts.scheme not in SCHEMES:
        scheme = f"{parts.scheme}://" if parts.scheme else "no scheme"
        raise ValueError(f"the address begins with {scheme}, and must with http:// or https://")
    if not host:
        raise ValueError("the address names no host")
    if parts.scheme == "http" and not (plain_http or _is_loopback(host)):
        raise ValueError(
            "plain http beyond this machine, which all on the way can read: use https, or allow it "
            "by plain_http: true"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def post_json(
    url: str,
    content: Any,
    *,
    token: str | None = None,
    timeout_s: float,
    most_bytes: int = MOST_BYTES,
    plain_http: bool = False,
) -> Reply:
    """Send `content` as JSON and return the reply.

    Parameters
    ----------
    url : str
        Of scheme http or https; a name and password in it are sent unless there is a `token`.
    content : anything that JSON can say
    token : str or None
        Sent as ``Authorization: Bearer …``.
    timeout_s : float
        Seconds from looking up the host to the last byte of the reply, however it trickles.
    most_bytes : int
        Of the reply.
    plain_http : bool
        See :func:`check_url`.

    Raises
    ------
    ServerTimeout
        If the reply is not complete in time.
    ServerError
        If the server cannot be reached, redirects, or sends too much or what is no HTTP.
    """
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        check_url(url, plain_http=plain_http)
    except ValueError as error:
        raise ServerError(str(error)) from None
    return _request("POST", url, headers, json.dumps(content).encode(), timeout_s, most_bytes)


def head(url: str, headers: Mapping[str, str], *, timeout_s: float) -> int:
    """Return the status of a HEAD request, redirects followed.

    Parameters, errors as for :func:`post_json`; an ``Authorization`` among the `headers` is not
    taken along to another origin, nor sent by plain http beyond this machine.
    """
    sent = dict(headers)
    try:
        check_url(url)
    except ValueError:
        sent = {name: value for name, value in sent.items() if name.lower() != "authorization"}
    return _request("HEAD", url, sent, None, timeout_s, 0).status


def _request(
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes | None,
    timeout_s: float,
    most_bytes: int,
) -> Reply:
    """Run :func:`_exchange` to its end, in an event loop on a thread of its own."""
    import httpx2  # takes 0.2 s, and a parse of the workflow needs none of it
    from anyio.from_thread import start_blocking_portal

    try:
        check_url(url, plain_http=True)
    except ValueError as error:
        raise ServerError(str(error)) from None
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ServerError(f"the header {name} holds a character that HTTP cannot send")
    try:
        with start_blocking_portal() as portal:
            return portal.call(_exchange, method, url, headers, content, timeout_s, most_bytes)
    except TimeoutError:
        raise ServerTimeout(f"no answer within {timeout_s:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ServerError(_reason(error)) from None


async def _exchange(
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes | None,
    timeout_s: float,
    most_bytes: int,
) -> Reply:
    import anyio
    import httpx2

    address = httpx2.URL(url)
    # What the address holds goes where it says and into no log: httpx2 logs addresses.
    own = (address.username, address.password) if address.userinfo else None
    address = address.copy_with(userinfo=None)
    # Compressed, a small reply could grow beyond all bounds.
    sent = httpx2.Headers({"Accept-Encoding": "identity"} | headers)
    auth = None if "Authorization" in sent else own
    client = httpx2.AsyncClient(
        verify=_trusted(),
        timeout=None,  # the scope below bounds the whole, not each operation
        follow_redirects=method in ("GET", "HEAD"),
        max_redirects=MOST_REDIRECTS,
        event_hooks={"request": [_credentials_for(address)]},
    )
    asked = client.stream(method, address, headers=sent, content=content, auth=auth)
    with anyio.fail_after(timeout_s):
        async with client, asked as response:
            if response.has_redirect_location:
                raise ServerError(_redirected(response))
            return Reply(response.status_code, await _body(response, most_bytes))


@cache
def _trusted() -> ssl.SSLContext:
    """Return what https is checked by: reading all certificates takes longer than a request."""
    import httpx2

    return httpx2.create_ssl_context()


def _credentials_for(address: "httpx2.URL") -> Any:
    """Return a hook that takes the credentials off requests to another origin than `address`."""

    async def hook(request: "httpx2.Request") -> None:
        if request.url.origin != address.origin:
            request.headers.pop("Authorization", None)

    return hook


async def _body(response: "httpx2.Response", most_bytes: int) -> bytes:
    if not response.is_success:
        return b""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ServerError("its reply is compressed, which was not asked for")
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > most_bytes:
            raise ServerError(f"its reply is longer than {most_bytes} bytes")
    return bytes(body)


def _redirected(response: "httpx2.Response") -> str:
    to = urlsplit(response.headers["Location"])
    where = f"{to.scheme}://{to.hostname}" if to.hostname else "another path"
    return (
        f"it redirects (HTTP {response.status_code}) to {where}, and what is sent by POST is not "
        "sent on; name the final address"
    )


def _reason(error: BaseException) -> str:
    """Return why there was no exchange: the system's own words, if it said any."""
    import httpx2

    if isinstance(error, httpx2.LocalProtocolError):
        return "the request cannot be sent"  # its own text quotes headers
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            by_number = not isinstance(cause, socket.gaierror | ssl.SSLError)
            return os.strerror(cause.errno) if by_number else cause.strerror
        if isinstance(cause, BaseExceptionGroup):  # of several addresses, each in its own way
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__
    return (str(error).splitlines() or [""])[0] or type(error).__name__
