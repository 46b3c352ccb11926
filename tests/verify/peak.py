"""A process that verifies a cluster and says how much memory that took.

``python -m tests.verify.peak URL TRUST NOW PAGE_BYTES`` prints the verdict and the
bytes at the highest point of the second of two verifications.
"""

import sys
import tracemalloc
from contextlib import closing

from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.showing import Showing
from beats_signer.store.elasticsearch.read.source import ElasticsearchSource
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from beats_signer.verify.trusting import parse_trust


def _verify(url: str, trust_line: str, now: int, page_bytes: int) -> str:
    trust, report = parse_trust(trust_line), Report(url, now)
    asking = Asking(BlockingClient(Client(url)), url)
    with closing(
        ElasticsearchSource(
            asking,
            trust.identity.name,
            now=now,
            compare=Showing().compare,
            page_bytes=page_bytes,
        )
    ) as source:
        Verification(source, trust, report, now=now).run()
    return report.verdict.name


if __name__ == "__main__":
    _url, _trust, _now, _page_bytes = sys.argv[1:]
    _verify(_url, _trust, int(_now), int(_page_bytes))
    tracemalloc.start()
    _verdict = _verify(_url, _trust, int(_now), int(_page_bytes))
    print(_verdict, tracemalloc.get_traced_memory()[1])
