"""Let others look at a source, in this process: what is found has to be the same."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager

from beats_signer.errors import SignerError
from beats_signer.verify.division import Division
from beats_signer.verify.readable import Readable
from beats_signer.verify.report import Report
from beats_signer.verify.whole import Whole, find_whole
from beats_signer.verify.workers import SealRange

Opener = Callable[[], Readable]
_RANGE_ENTRIES = 6
"""Two seals of the worlds that these tests damage."""
_AHEAD = 3


class Others:
    """Looks at each range at once, with the source opened for itself."""

    def __init__(self, opener: Opener) -> None:
        self._source = opener()
        self.found: list[Whole] = []
        """Everything that was said."""

    def start(self, part: SealRange) -> Future[dict[bytes, Whole]]:
        """Look at a range."""
        answer: Future[dict[bytes, Whole]] = Future()
        answer.set_result(self._examine(part))
        return answer

    def wait(self, answer: Future[dict[bytes, Whole]]) -> dict[bytes, Whole]:
        """Return what is whole in a range."""
        return answer.result()

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _examine(self, part: SealRange) -> dict[bytes, Whole]:
        self._source.pin(part.origin, part.chain)
        items = self._source.read_range(part.origin, part.first, part.stop)
        try:
            found = find_whole(items)
        except SignerError:
            return {}
        self.found += found.values()
        return found


@contextmanager
def divided(source: Readable, others: Others) -> Iterator[Division]:
    """Divide a source among others, in ranges of few entries."""
    with closing(Division(source, others, _AHEAD, _RANGE_ENTRIES)) as division:
        yield division


def same(report: Report, other: Report) -> None:
    """Check that two reports say the same."""
    assert other.to_dict() == report.to_dict()
