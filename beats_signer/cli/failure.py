"""Explain to a person why test events were not all acknowledged."""

import socket
import ssl

from beats_signer.cli.target import Target
from beats_signer.errors import SignerError
from lumberjack.errors import AckError

__all__ = ["DeliveryError", "explain"]

_SEE_LOG = "The log of the signer says why, with our address and name."

_ALERTS = {
    "CERTIFICATE_REQUIRED": "it demands a client certificate",
    "HANDSHAKE_FAILURE": "it demands a client certificate, or shares no cipher with us",
    "UNKNOWN_CA": "it does not know the authority of our client certificate",
    "CERTIFICATE_EXPIRED": "our client certificate has expired",
    "BAD_CERTIFICATE": "it does not accept our client certificate",
    "PROTOCOL_VERSION": "it speaks no version of TLS that we speak",
}
"""What the TLS alerts of a receiver mean, by a part of OpenSSL's name for them."""


class DeliveryError(SignerError):
    """Events were sent, or could not be, and are not all acknowledged.

    What was acknowledged is sealed and stored; of the rest nothing is known.
    """

    exit_code = 1


def explain(
    error: BaseException, target: Target, *, was_served: bool = False
) -> DeliveryError | None:
    """Return what went wrong in the words of the user, with a next step.

    Return nothing for what is not a failure of the connection; that is raised on.
    Who has had acknowledgements ``was_served``: neither TLS nor its name is wrong.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    where = str(target.address)
    match error:
        case DeliveryError():
            return error
        case TimeoutError():
            return DeliveryError(
                f"{where} was silent for too long",
                hint="It keeps a waiting sender informed when it works. " + _SEE_LOG,
            )
        case AckError():
            return DeliveryError(
                f"{where} sent what is not the expected acknowledgement: {error}",
                hint="Is this a signer? A listener with TLS needs --ca, not --plain.",
            )
        case ssl.SSLCertVerificationError():
            return DeliveryError(
                f"the certificate of {where} is not accepted: {error.verify_message}",
                hint="Name the authority that issued it with --ca, and the host as "
                "the certificate names it with --to.",
            )
        case ssl.SSLError():
            return _explain_tls(error, where)
        case socket.gaierror():
            return DeliveryError(
                f"the host {target.address.host} is not known: {error.strerror}",
                hint="Check the name after --to.",
            )
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            if was_served:
                wrong = "It was stopped, perhaps; a Beat sends the rest again. "
            elif target.context is None:
                wrong = "Does the listener demand TLS? "
            else:
                wrong = "It may have refused our client certificate. "
            return DeliveryError(
                f"{where} closed the connection", hint=wrong + _SEE_LOG
            )
        case OSError() if "refused" in str(error):
            return DeliveryError(
                f"{where} refused the connection: nothing listens there",
                hint="Start the signer with `beats-signer serve`, or correct --to.",
            )
        case OSError():
            return DeliveryError(
                f"cannot reach {where}: {error.strerror or error}",
                hint="Check the address, and what is between here and there.",
            )
    return None


def _explain_tls(error: ssl.SSLError, where: str) -> DeliveryError:
    reason = error.reason or str(error)
    for alert, meaning in _ALERTS.items():
        if alert in reason:
            return DeliveryError(
                f"{where} ended TLS: {meaning}",
                hint="Give the right --certificate and --key. " + _SEE_LOG,
            )
    return DeliveryError(
        f"{where} does not speak TLS with us: {reason}",
        hint="Is it a listener without TLS? Then use --plain. " + _SEE_LOG,
    )
