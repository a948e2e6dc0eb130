"""The write-ahead journal beside a database: what SQLite reads of it, and what more a damaged one holds.

The format is SQLite's (https://sqlite.org/fileformat2.html#the_write_ahead_log). SQLite stops at the first
frame whose checksum does not fit, and says nothing: one damaged byte costs all that was saved after it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
_BIG_ENDIAN = _MAGIC + 1
_VERSION = 3_007_000
_MASK = 0xFFFF_FFFF
_MOST_PAGES = 1 << 18
"""Of a database; with pages of 4096 bytes it has a gigabyte."""


class Frame(NamedTuple):
    """One page as a transaction left it.

    Attributes:
        page: Its number, from 1.
        pages: How many pages the database has after it, when it ends a transaction; else 0.
        start: Where in the journal the page begins.
        sound: Whether its checksum fits.
    """

    page: int
    pages: int
    start: int
    sound: bool


class Journal(NamedTuple):
    """A journal that was read.

    Attributes:
        data: All of it.
        page_size: Bytes.
        sound: Whether its head is.
        frames: Those of its newest use; older ones may follow in the file.
    """

    data: bytes
    page_size: int
    sound: bool
    frames: tuple[Frame, ...]

    @property
    def damaged(self) -> bool:
        """Whether there is, or was, a transaction that was complete, and that SQLite does not read.

        A kill or a loss of power can leave the last transaction half written. It was never reported as saved,
        and nothing follows it. What is followed by another transaction was complete once.
        """
        return not self.sound or any(frame.pages for frame in self.frames[len(self._read) : -1])

    @property
    def lost(self) -> bool:
        """Whether a page of a damaged one can't be had: it is not in a later frame either."""
        last = max((n for n, frame in enumerate(self.frames) if frame.sound and frame.pages), default=-1)
        later: set[int] = set()
        for frame in reversed(self.frames[: last + 1]):
            if not frame.sound and frame.page not in later:
                return True
            later.add(frame.page)
        return not self.sound and last < 0

    @property
    def _read(self) -> tuple[Frame, ...]:
        """What SQLite looks at: all frames from the first on that are sound."""
        if not self.sound:
            return ()
        count = next((n for n, frame in enumerate(self.frames) if not frame.sound), len(self.frames))
        return self.frames[:count]

    def applied(self, database: bytes, *, all_of_it: bool = False) -> bytes:
        """The database with the transactions of the journal in it.

        Args:
            database: The file.
            all_of_it: Whether to take every sound frame; else those that SQLite takes.
        """
        frames = [frame for frame in self.frames if frame.sound] if all_of_it else self._read
        return _put(database, self.data, self.page_size, frames)


def read_journal(data: bytes, page_size: int) -> Journal:
    """Understands a journal.

    Args:
        data: The file; may be anything.
        page_size: The database's; 0 when it is not known.
    """
    if len(data) < _HEADER.size + _FRAME.size or not any(data):
        return Journal(b"", 0, True, ())  # a loss of power can leave one that is all zeros
    magic, version, size, _, salt_1, salt_2, sum_1, sum_2 = _HEADER.unpack_from(data)
    big = magic == _BIG_ENDIAN
    found = _checksum(data[: _HEADER.size - 8], (0, 0), big=big)
    if magic | 1 == _BIG_ENDIAN and version == _VERSION and found == (sum_1, sum_2) and _is_size(size):
        return Journal(data, size, True, _frames(data, size, (salt_1, salt_2), (sum_1, sum_2), big=big))
    # The first frame is always of the newest use, so its salt is that of all
    *_, salt_1, salt_2, _, _ = _FRAME.unpack_from(data, _HEADER.size)
    size = page_size if _is_size(page_size) else size if _is_size(size) else 4096
    # The order of bytes in checksums is this computer's when it was written; the damage may be there
    either = [
        _frames(data, size, (salt_1, salt_2), (sum_1, sum_2), big=big, first=True) for big in (False, True)
    ]
    return Journal(data, size, False, max(either, key=lambda frames: sum(frame.sound for frame in frames)))


def _frames(
    data: bytes,
    page_size: int,
    salts: tuple[int, int],
    before: tuple[int, int],
    *,
    big: bool,
    first: bool = False,
) -> tuple[Frame, ...]:
    """All frames up to the last one with these salts; behind it are those of older uses.

    Args:
        data, page_size: The journal.
        salts: Those of its newest use.
        before: Its head's checksum, on which that of the first frame builds.
        big: The order of bytes that the checksums were made in.
        first: Whether the first frame counts as sound: the head that its checksum builds on is damaged.
    """
    found: list[Frame] = []
    count = 0
    step = _FRAME.size + page_size
    for at in range(_HEADER.size, len(data) - step + 1, step):
        page, pages, salt_1, salt_2, *own = _FRAME.unpack_from(data, at)
        start = at + _FRAME.size
        if (salt_1, salt_2) == salts:
            sums = _checksum(data[at : at + 8], before, big=big)
            sums = _checksum(data[start : start + page_size], sums, big=big)
            possible = 0 < page <= _MOST_PAGES and pages <= _MOST_PAGES
            sound = possible and (list(sums) == own or (first and not found))
            found.append(Frame(page, pages, start, sound))
            count = len(found)
        else:
            found.append(Frame(page, 0, start, False))
        # Builds on what the frame in front says it has: a damaged one does not spoil those behind it
        before = own[0], own[1]
    return tuple(found[:count])


def _checksum(data: bytes, seed: tuple[int, int], *, big: bool) -> tuple[int, int]:
    one, two = seed
    words = struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data)
    for left, right in zip(words[::2], words[1::2], strict=True):
        one = (one + left + two) & _MASK
        two = (two + right + one) & _MASK
    return one, two


def _put(database: bytes, journal: bytes, page_size: int, frames: Sequence[Frame]) -> bytes:
    last = max((n for n, frame in enumerate(frames) if frame.pages), default=-1)
    if last < 0:
        return database
    whole = frames[: last + 1]
    newest = {frame.page: frame.start for frame in whole}
    size = frames[last].pages * page_size
    image = bytearray(database[:size])
    for page, start in newest.items():
        begin = (page - 1) * page_size
        if begin >= size:
            continue
        if len(image) < begin:
            image.extend(bytes(begin - len(image)))
        image[begin : begin + page_size] = journal[start : start + page_size]
    return bytes(image) + bytes(size - len(image))


def _is_size(size: int) -> bool:
    return 512 <= size <= 65_536 and size & (size - 1) == 0
