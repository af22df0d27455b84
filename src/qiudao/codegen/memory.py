"""The arena: one piece of memory for all temporaries of a call, reused when they are dead."""

from __future__ import annotations

LINE = 64  # bytes of a cache line: every block starts on one


class Arena:
    """Hands out byte offsets."""

    def __init__(self, start: int = 0) -> None:
        self.size = start
        self.free: list[tuple[int, int]] = []  # (offset, bytes), by offset, none adjacent

    def take(self, count: int) -> tuple[int, int]:
        """A block of at least `count` bytes, as (offset, bytes): the tightest free one."""
        count = -(-max(count, 1) // LINE) * LINE
        fitting = [block for block in self.free if block[1] >= count]
        if fitting:
            offset, size = min(fitting, key=lambda block: block[1])
            self.free.remove((offset, size))
            if size > count:
                self.free.append((offset + count, size - count))
                self.free.sort()
            return offset, count
        if self.free and sum(self.free[-1]) == self.size:  # the last free block can grow
            offset, _ = self.free.pop()
        else:
            offset = self.size
        self.size = offset + count
        return offset, count

    def give(self, block: tuple[int, int]) -> None:
        """Take a block back."""
        self.free.append(block)
        self.free.sort()
        merged: list[tuple[int, int]] = []
        for offset, size in self.free:
            if merged and sum(merged[-1]) == offset:
                merged[-1] = (merged[-1][0], merged[-1][1] + size)
            else:
                merged.append((offset, size))
        self.free = merged
