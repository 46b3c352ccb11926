"""A process that lets workers begin, and waits for them for ever.

``python -m tests.verify.workers`` prints a line for each worker that has begun.
"""

import time

from beats_signer.verify.readable import Readable
from beats_signer.verify.workers import SealRange, Workers

_JOBS = 2


def hang() -> Readable:
    """Say that this worker has begun, and never open anything."""
    print("begun", flush=True)
    while True:
        time.sleep(60)


def main() -> None:
    """Wait for workers that never answer."""
    workers = Workers(hang, _JOBS, lambda: None)
    answers = [workers.start(SealRange("", b"", 0, 1)) for _ in range(_JOBS)]
    try:
        for answer in answers:
            assert answer is not None
            workers.wait(answer)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    finally:
        workers.close()


if __name__ == "__main__":
    main()
