"""The status page: what it shows, and that nothing on it is code."""

import re

from beats_signer.operate.history import History
from beats_signer.operate.page import CONTENT_SECURITY_POLICY, render_page
from tests.operate.status import HOSTILE, build_status


def test_chains_and_senders_are_shown() -> None:
    page = render_page(build_status(), [], History())

    assert "audit-1/acme/nginx/20261123T090000Z" in page
    assert "98,765" in page
    assert "web-1.example.com" in page
    assert ">ready<" in page


def test_a_hostile_name_is_text() -> None:
    senders = [build_status()["senders"][0] | {"sender": HOSTILE}]
    problem = {"symptom": HOSTILE, "impact": HOSTILE, "action": HOSTILE}
    status = build_status(signer=HOSTILE, senders=senders, problems=[problem])

    page = render_page(status, [HOSTILE], History())

    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;") == 7


def test_each_problem_has_its_next_step() -> None:
    problem = {"symptom": "it hurts", "impact": "badly", "action": "rest"}

    page = render_page(build_status(problems=[problem]), [], History())

    assert "ready, with problems" in page
    assert "Next step: rest" in page


def test_a_signer_that_starts_has_a_page_already() -> None:
    status = {
        "signer": "audit-1",
        "version": "1.0",
        "started": "2026-11-23T08:00:00.000000000Z",
        "state": "starting",
        "problems": [],
    }

    page = render_page(status, ["the signer is starting"], History())

    assert "not ready" in page
    assert "<h2>Chains</h2>" not in page


def test_the_policy_allows_no_script_and_nothing_from_elsewhere() -> None:
    page = render_page(build_status(), [], History())

    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "script-src" not in CONTENT_SECURITY_POLICY
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
