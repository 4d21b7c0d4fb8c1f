"""What went wrong with a call, in our own words: an HTTP library's texts may carry headers, so none is passed on."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping

# By name, so that nothing heavy is imported to say them. `{timeout}` is filled in.
WORDS: Mapping[str, str] = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection within {timeout}",
    "PoolTimeout": "no connection within {timeout}",
    "ProxyError": "the proxy did not open a tunnel",
    "UnsupportedProtocol": "the target's url is neither http nor https",
    "InvalidURL": "the target's url is not valid",
    "ReadTimeout": "no answer within {timeout}",
    "WriteTimeout": "the request could not be written within {timeout}",
    "ReadError": "connection broken before the answer was whole",
    "WriteError": "connection broken while the request was written",
    "CloseError": "connection broken while it was closed",
    "RemoteProtocolError": "connection closed before the answer was whole, or the answer is not HTTP",
    "LocalProtocolError": "the request is not valid HTTP",
    "DecodingError": "the answer could not be decoded",
    "TooManyRedirects": "the answer redirects",
    "HTTPStatusError": "the answer has an error status",
    "CookieConflict": "the answer sets a cookie twice",
    "StreamConsumed": "the request would have been sent twice",
    "StreamClosed": "connection closed before the answer was whole",
    "ResponseNotRead": "the answer was not read",
    "RequestNotRead": "the request was not read",
    # The families that the others belong to; nothing raises them as they are.
    "HTTPError": "the call failed",
    "RequestError": "the call failed",
    "TransportError": "the call failed",
    "TimeoutException": "no answer within {timeout}",
    "NetworkError": "connection broken",
    "ProtocolError": "the answer is not HTTP",
    "StreamError": "the call failed",
}
"""Every exception class of httpx 0.28, and what it means to a user. A test fails when httpx adds one."""

_OURS: Mapping[str, str] = {"CalledBack": "stopped before it was sent"}

# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_CERTIFICATE: Mapping[int, str] = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "a self-signed certificate is in its chain",
    20: "its issuer is not known here",
    21: "its chain is not complete",
    62: "it is for another host",
    64: "it is for another address",
}


def describe(error: BaseException, timeout: float) -> str:
    """Say what went wrong, in fixed words: nothing of the exception's own text is in it. `timeout` is in seconds."""
    name = type(error).__name__
    words = WORDS.get(name) or _OURS.get(name)
    if words is None:
        return f"the call failed with {name}"
    if name == "ConnectError":
        words = _no_connection(error) or words
    return words.format(timeout=f"{timeout:g}s")


def _no_connection(error: BaseException) -> str:
    import ssl

    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                why = _CERTIFICATE.get(cause.verify_code or 0, "it fails the check")
                return f"TLS certificate not trusted: {why}"
            case ssl.SSLError():
                return "TLS could not be set up"
            case ConnectionRefusedError():
                return "connection refused"
            case socket.gaierror():
                return "the host name could not be resolved"
            case OSError(errno=int(number)) if number in errno.errorcode:
                return f"no connection ({errno.errorcode[number]})"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    # httpcore raises `from None` on the way out: the cause is then only in the context.
    at: BaseException | None = error
    for _ in range(10):
        if at is None:
            return
        yield at
        at = at.__cause__ or at.__context__
