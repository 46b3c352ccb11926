"""Remember which indexes of a chain the seals read so far have covered."""

from bisect import bisect_left, bisect_right

__all__ = ["Covered"]


class Covered:
    """A set of indexes as ranges; a chain without faults needs one of them."""

    def __init__(self) -> None:
        # Of disjoint ranges, ascending: range n is starts[n] <= index < ends[n].
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Add the indexes from ``start`` to before ``end``."""
        if start >= end:
            return
        low = bisect_left(self._ends, start)
        high = bisect_right(self._starts, end)
        if low < high:  # it touches the ranges from low to before high
            start = min(start, self._starts[low])
            end = max(end, self._ends[high - 1])
        self._starts[low:high] = [start]
        self._ends[low:high] = [end]

    def __contains__(self, index: int) -> bool:
        position = bisect_right(self._ends, index)
        return position < len(self._starts) and self._starts[position] <= index
