"""Where test events go, and how a failure on the way is explained."""

import ssl
from pathlib import Path

import pytest

from beats_signer.address import Address
from beats_signer.cli.failure import DeliveryError, explain
from beats_signer.cli.target import Credentials, Target, choose_listener
from beats_signer.config import ListenerConfig

PLAIN = Target(Address("signer:5044"), None)


@pytest.mark.parametrize(
    ("listens", "reached"),
    [
        ("0.0.0.0:5044", "127.0.0.1:5044"),
        ("[::]:5044", "[::1]:5044"),
        ("10.0.0.1:6000", "10.0.0.1:6000"),
        ("[fe80::1]:6000", "[fe80::1]:6000"),
        ("signer.example.com:5044", "signer.example.com:5044"),
    ],
)
def test_a_listener_is_reached_where_it_listens(listens: str, reached: str) -> None:
    target = choose_listener(ListenerConfig(Address(listens)), Credentials())

    assert target == Target(Address(reached), None)


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(113, "No route to host"), "cannot reach signer:5044: No route to"),
        (
            OSError("Multiple exceptions: [Errno 111] Connection refused, [Errno …]"),
            "signer:5044 refused the connection",
        ),
        (ConnectionResetError(104, "reset"), "signer:5044 closed the connection"),
        (TimeoutError(), "signer:5044 was silent for too long"),
        (
            tls_error("SSLV3_ALERT_CERTIFICATE_EXPIRED"),
            "signer:5044 ended TLS: our client certificate has expired",
        ),
        (
            tls_error("WRONG_VERSION_NUMBER"),
            "signer:5044 does not speak TLS with us: WRONG_VERSION_NUMBER",
        ),
        (
            ExceptionGroup("", [ExceptionGroup("", [TimeoutError()])]),
            "signer:5044 was silent for too long",
        ),
        (DeliveryError("known"), "known"),
    ],
)
def test_a_failure_has_a_message_and_a_next_step(
    error: Exception, message: str
) -> None:
    failure = explain(error, PLAIN)

    assert failure is not None
    assert str(failure).startswith(message)
    assert failure.hint or failure is error


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("y")])
def test_a_programming_error_is_not_explained_away(error: Exception) -> None:
    assert explain(ExceptionGroup("", [error]), PLAIN) is None


@pytest.mark.parametrize("key", [None, Path("k")])
def test_credentials_that_name_nothing_are_none(key: Path | None) -> None:
    assert bool(Credentials(None, key, key)) == (key is not None)
