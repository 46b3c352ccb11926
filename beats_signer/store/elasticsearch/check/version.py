"""Judge what a server says of itself; all pure."""

from typing import Final

import msgspec

from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.client import Answer

__all__ = ["judge_version"]

_LEAST_MINOR: Final = {8: 19, 9: 0}


def judge_version(answer: Answer) -> Verdict:
    """Judge the answer to ``GET /``."""
    if answer.status == 401:
        return Verdict(
            Mark.BROKEN,
            "credentials",
            "server",
            "it does not know this key, user or password",
            "Correct the password; or delete the file of the key, and make another "
            "with `beats-signer setup --user NAME --create-key`.",
        )
    if answer.status == 403:
        return Verdict(
            Mark.UNKNOWN,
            "version",
            "server",
            "it is not shown to us: monitor is missing",
        )
    if b"media_type_header_exception" in answer.data:
        return Verdict(
            Mark.BROKEN,
            "client",
            "server",
            "it is older than the installed Elasticsearch client",
            "Install the client of version 8, which talks to servers of 8 and 9: "
            "pip install 'elasticsearch>=8.19,<9'.",
        )
    number, flavor = _told(answer)
    if number is None:
        return Verdict(
            Mark.BROKEN,
            "version",
            "server",
            f"it answers {answer.status} to the question who it is",
            "See that elasticsearch.hosts names the servers themselves, with the path "
            "if there is one.",
        )
    if flavor == "serverless":
        return Verdict(
            Mark.NOTICE, "version", "server", "serverless, which is not tested"
        )
    major, minor = map(int, number.split(".")[:2])
    if major not in _LEAST_MINOR:
        return Verdict(
            Mark.BROKEN,
            "version",
            "server",
            f"Elasticsearch {number} is neither 8 nor 9",
            "Use a server of version 8.19 or newer.",
        )
    if minor < _LEAST_MINOR[major]:
        return Verdict(
            Mark.NOTICE,
            "version",
            "server",
            f"Elasticsearch {number} is older than 8.19, the oldest that is tested",
        )
    return Verdict(Mark.OK, "version", "server", f"Elasticsearch {number}")


def _told(answer: Answer) -> tuple[str | None, str]:
    """Return number and flavor, without a number when it is no such answer."""
    if answer.status != 200:
        return None, ""
    try:
        version = msgspec.json.decode(answer.data)["version"]
        return str(version["number"]), str(version.get("build_flavor", ""))
    except (msgspec.DecodeError, KeyError, TypeError):
        return None, ""
