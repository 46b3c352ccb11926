"""Whole worlds in Elasticsearch verify, wherever and however they stand there."""

from beats_signer.verify.report import Verdict
from tests.verify.stored import Stored
from tests.verify.verifying import information, wrong


def test_a_whole_signer_is_verified(stored: Stored) -> None:
    report = stored.verify()

    assert wrong(report) == []
    assert report.verdict is Verdict.VERIFIED
    assert report.entries == 17
    assert information(report) == []
