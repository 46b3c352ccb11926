"""The receiving side of one connection: bytes in, complete windows out, no I/O."""

from collections import deque

from .batch import Batch
from .bounds import check_limit
from .errors import ProtocolError, Reason
from .frames import FrameType, Head
from .limits import Limits
from .reader import FrameReader
from .refusal import refuse
from .state import TRANSITIONS, State, Step, step_of
from .window import Window

__all__ = ["Connection"]

_DEFAULT_LIMITS = Limits()


class Connection:
    """Turns what a peer sends into the batches of its complete windows.

    Feed it with ``receive_data``, then call ``next_batch`` until that returns
    ``None``. Batches that were complete before a violation are delivered before it
    raises; of a `C` frame that holds a violation nothing is delivered.
    """

    def __init__(self, limits: Limits = _DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._state = State.START
        self._error: ProtocolError | None = None
        self._eof = False
        self._reader = FrameReader(limits, bytearray())
        self._window = Window(version=0, size=0)
        # What one `C` frame completed; empty whenever the next frame is read.
        self._ready: deque[Batch] = deque()

    @property
    def state(self) -> State:
        """Where the connection stands; see ``TRANSITIONS``."""
        return self._state

    @property
    def window_version(self) -> int | None:
        """Version of the window that is open or was last; ``None`` before any."""
        return self._window.version or None

    @property
    def window_size(self) -> int:
        """Events announced by the window that is open or was last."""
        return self._window.size

    @property
    def window_events(self) -> int:
        """Events of the open window so far.

        After the end of the connection: those that were dropped with it.
        """
        return self._window.events

    @property
    def window_open(self) -> bool:
        """True while a window lacks events or a frame lacks bytes.

        It is meaningful when ``next_batch`` has returned ``None``.
        """
        if self._state in (State.WINDOW, State.BARE_WINDOW):
            return True
        return self.frame_open

    @property
    def frame_open(self) -> bool:
        """True while a frame lacks bytes; read it as ``window_open``."""
        return self._reader.buffered_bytes > 0

    @property
    def buffered_bytes(self) -> int:
        """Bytes held: those of frames that wait, and payloads not yet delivered."""
        ready = sum(batch.payload_bytes for batch in self._ready)
        return self._reader.buffered_bytes + self._window.payload_bytes + ready

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Buffer what arrived. Nothing is judged before ``next_batch``.

        After a violation the data is thrown away.

        Raises:
            RuntimeError: ``receive_eof`` was called before.
        """
        if self._eof:
            raise RuntimeError("data received after the end of the stream")
        if self._state is not State.FAILED:
            self._reader.feed(data)

    def receive_eof(self) -> None:
        """Note that the peer closed cleanly; ``next_batch`` then comes to an end.

        Call it for an orderly end of the stream only, not for a reset or a timeout:
        it lets the events of an unfinished window count when the peer is a version
        1 peer of bare `D` frames. From any other peer they are dropped, and such a
        peer sends the window again.
        """
        self._eof = True

    def next_batch(self) -> Batch | None:
        """Return the next complete window, or ``None`` when more data is needed.

        Call it until it returns ``None`` before feeding again. After
        ``receive_eof`` the state tells the two ends apart: ``None`` and
        ``State.CLOSED`` means that nothing will follow.

        Raises:
            LimitError: A size that the peer announced or reached is above
                ``limits``.
            ProtocolError: The peer broke the wire format. Close the connection and
                acknowledge no window but those already delivered; every later call
                raises too.

        Source: 'States' and 'Windows' in protocol/README.md.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        try:
            while not self._ready:
                if not self._take_received():
                    return self._close() if self._eof else None
        except ProtocolError as error:
            self._fail(error)
            # A traceback would keep alive what the peer sent.
            raise error.with_traceback(None) from error.__cause__
        return self._ready.popleft()

    def _take_received(self) -> bool:
        """Take one frame or run of frames; False when more data is needed."""
        if not self._reader.is_ready:
            return False
        if self._state is State.START and not self._reader.read_greeting():
            return False
        return self._take(self._reader, inside=False) > 0

    def _take_content(self, content: bytes) -> None:
        """Take all frames of a `C` frame, so that it counts whole or not at all."""
        reader = FrameReader(self._limits, content)
        frames = 0
        while reader.buffered_bytes:
            taken = self._take(reader, inside=True)
            frames += taken
            if not taken:
                raise ProtocolError(
                    Reason.TRUNCATED,
                    "insufficient bytes in compressed content: the last"
                    f" {reader.buffered_bytes} of {len(content)} are no whole frame",
                )
            limit = self._limits.compressed_frames
            check_limit(frames, limit, "compressed frame", "frames or more")

    def _take(self, reader: FrameReader, *, inside: bool) -> int:
        """Take a run of frames or one; return how many, 0 when more is needed."""
        if self._state is State.WINDOW and (run := self._take_run(reader)):
            return run
        head = reader.read_head()
        if head is None:
            return 0
        step = step_of(head, inside=inside)
        after = self._admit(step, head)
        match head.type:
            case FrameType.WINDOW:
                reader.skip_window()
                self._state = after
                self._open(head)
            case FrameType.COMPRESSED:
                content = reader.read_content(head)
                if content is None:
                    return 0
                self._state = after
                self._take_content(content)
            case _:
                data = reader.read_payload(head)
                if data is None:
                    return 0
                form, payload = data
                self._check_window_bytes(len(payload))
                self._state = after
                self._add(form, [payload], head.number)
        return 1

    def _take_run(self, reader: FrameReader) -> int:
        budget = self._limits.window_bytes - self._window.payload_bytes
        form, payloads, sequence = reader.walk(self._window.missing, budget)
        if payloads:
            self._add(form, payloads, sequence)
        return len(payloads)

    def _open(self, head: Head) -> None:
        self._window = Window(head.version, head.number)
        if head.number == 0:
            self._ready.append(self._window.to_batch())

    def _add(self, form: bytes, payloads: list[bytes], sequence: int) -> None:
        window = self._window
        window.add(form, payloads, sequence)
        if window.missing == 0:
            self._ready.append(window.to_batch())
            self._state = TRANSITIONS[self._state][Step.FULL]
            # What a bare peer opens by going on is a window of the same size.
            self._window = Window(window.version, window.size)

    def _admit(self, step: Step, head: Head) -> State:
        """Return the state after a frame, or refuse it before it is buffered."""
        after = TRANSITIONS[self._state].get(step)
        if after is None:
            raise refuse(self._state, step, head, self._window)
        if head.type is FrameType.JSON:
            self._check_window_bytes(head.size)
        return after

    def _check_window_bytes(self, payload_bytes: int) -> None:
        total = self._window.payload_bytes + payload_bytes
        limit = self._limits.window_bytes
        check_limit(total, limit, "window", "payload bytes or more")

    def _close(self) -> Batch | None:
        batch = None
        if self._state is State.BARE_WINDOW and self._window.events:
            batch = self._window.to_batch(acknowledged=False)
            self._window = Window(self._window.version, self._window.size)
        if self._state is not State.CLOSED:
            self._state = TRANSITIONS[self._state][Step.CLOSE]
        self._release()
        return batch

    def _fail(self, error: ProtocolError) -> None:
        self._error = error
        self._state = TRANSITIONS[self._state][Step.VIOLATION]
        self._release()

    def _release(self) -> None:
        self._ready.clear()
        self._reader.clear()
        self._window.drop()
