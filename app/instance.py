"""Locks in a data folder: one window only, who has a file open, and which runs of the program go on."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from app.errors import StoreError
from app.paths import Paths, disk_is_full, make_private, open_private

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LOCKED_BYTE = 1 << 20
"""On Windows nobody can read a locked byte, so it lies far behind the process number."""
_SLOTS = 1024
"""On Windows a lock is not shared: each that shares a file locks one of this many bytes."""
_OLD_S = 86_400.0
_LOOK_AGAIN_S = 0.01


class InstanceLock:
    """Held by a window as long as it lives; the operating system frees it however the process ends.

    Two windows on one folder would both register the same trunks, and each would undo what the other does.
    The command line needs no lock: what it saves, a window finds by `Store.changed_elsewhere`.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Takes the lock.

        On a disk where nothing can be written, a lock file that is there is locked as it is. Without one
        there is no lock: nobody can have made it, and nothing is written that a second window could undo.

        Raises:
            StoreError: Another window has it (the text names its process), or the folder can't be locked.
        """
        file = self._paths.window_lock
        try:
            descriptor = _open_lock(file)
        except OSError as error:
            if _can_not_write(error) and not os.path.lexists(file):
                return
            raise StoreError(
                f"The file {file} can't be written: {error.strerror or error}.",
                do="Allow your user to write it, or choose another folder with --data-dir.",
                details=str(error),
            ) from error
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError) as error:
            process = _read_process(descriptor)
            os.close(descriptor)
            raise StoreError(
                f"Ringback is open already with the data in {self._paths.data}{process}.",
                do="Go to that window; or close it first; or choose another folder with --data-dir.",
                details=str(error),
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise StoreError(
                f"The folder {self._paths.data} is on a disk that knows no locks.",
                do="Choose a folder on a disk of this computer with --data-dir.",
                details=str(error),
            ) from error
        self._descriptor = descriptor
        with suppress(OSError):  # only for the other's message, and the disk may be full
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Gives the lock back; harmless when it is not held.

        The file stays: were it deleted, a window that has just opened it would lock a file that nobody finds.
        """
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class FileUse:
    """Whether others have a file open that we keep: many share it, and one at a time has it alone.

    SQLite's own locks are no help when the file makes no sense to it. Where nothing can be locked, as on a
    disk that can only be read, the file can be shared but nobody has it alone.

    Args:
        lock: A file for the lock, made when missing and never deleted.
    """

    def __init__(self, lock: Path) -> None:
        self._file = lock
        self._descriptor: int | None = None
        self._slot = 0

    def share(self, seconds: float) -> bool:
        """Open it together with others, from now on until `release`; gives up having it alone.

        Args:
            seconds: How long to wait for one who has it alone.

        Returns:
            Whether that one is gone. On a disk that knows no locks nobody is known to have it.
        """
        return self._wait_for(self._share, seconds) is not False

    def take_alone(self, seconds: float = 0.0) -> bool:
        """Have it alone, if nobody else has it open; whoever opens it meanwhile waits.

        Args:
            seconds: How long to wait for the others.

        Returns:
            Whether we have. If not, we do not share it either.
        """
        if self._wait_for(self._take_alone, seconds):
            return True
        self.release()
        return False

    def _wait_for(self, lock: Callable[[], None], seconds: float) -> bool | None:
        """Whether it was locked, None where there are no locks."""
        until = time.monotonic() + seconds
        while True:
            try:
                if self._descriptor is None:
                    self._descriptor = _open_lock(self._file)
                lock()
            except (BlockingIOError, PermissionError):
                if self._descriptor is None:
                    return None
                if time.monotonic() > until:
                    return False
                time.sleep(_LOOK_AGAIN_S)
            except OSError:
                self.release()
                return None
            else:
                return True

    def release(self) -> None:
        """Ends it; harmless when done twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._slot = 0

    if sys.platform == "win32":

        def _share(self) -> None:
            assert self._descriptor is not None
            self._unlock()
            for slot in range(1, _SLOTS + 1):
                os.lseek(self._descriptor, _LOCKED_BYTE + slot, os.SEEK_SET)
                with suppress(PermissionError):
                    msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
                    self._slot = slot
                    return
            raise PermissionError(errno.EACCES, "somebody has it alone")

        def _take_alone(self) -> None:
            assert self._descriptor is not None
            self._unlock()
            os.lseek(self._descriptor, _LOCKED_BYTE + 1, os.SEEK_SET)
            msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, _SLOTS)
            self._slot = -1

        def _unlock(self) -> None:
            assert self._descriptor is not None
            if self._slot:
                os.lseek(self._descriptor, _LOCKED_BYTE + max(self._slot, 1), os.SEEK_SET)
                msvcrt.locking(self._descriptor, msvcrt.LK_UNLCK, _SLOTS if self._slot < 0 else 1)
                self._slot = 0

    else:

        def _share(self) -> None:
            assert self._descriptor is not None
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

        def _take_alone(self) -> None:
            assert self._descriptor is not None
            # Two that share it and both want it alone would wait for each other
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class RunMark:
    """Shows other processes that this run of the program is going on, however it ends.

    A process number would not do: it is given to another program sooner or later. The mark is a file with a
    lock on it, which the operating system frees.

    Attributes:
        name: Of this run, used by no other one.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._descriptor: int | None = None
        self.name = os.urandom(16).hex()

    def set(self) -> None:
        """Shows it from now on.

        Raises:
            OSError: The file can't be written or locked; the run then looks like one that has ended.
        """
        if self._descriptor is not None:
            return
        make_private(self._paths.run_marks)
        descriptor = open_private(str(_run_file(self._paths, self.name)), os.O_RDWR | os.O_CREAT)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def clear(self) -> None:
        """Ends it; harmless when it is not set."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            with suppress(OSError):  # somebody looks at it just now, and takes it away
                _run_file(self._paths, self.name).unlink(missing_ok=True)


def run_has_ended(paths: Paths, name: str) -> bool:
    """Whether the run of this name has ended, or never was; what it has left of its mark is taken away."""
    if not name.isalnum():
        return True
    file = _run_file(paths, name)
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False  # somebody's; better a call that is shown as running too long than one cut off
    try:
        _lock(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    with suppress(OSError):
        file.unlink(missing_ok=True)
    return True


def clear_old_marks(paths: Paths) -> None:
    """Takes away what killed runs have left, where nothing else asks about them any more."""
    with suppress(OSError):
        for file in paths.run_marks.glob("*.lock"):
            # A new one may not have its lock yet
            if time.time() - file.stat().st_mtime > _OLD_S:
                run_has_ended(paths, file.stem)


def _open_lock(file: Path) -> int:
    """A descriptor to lock; one that can only be read where nothing can be written."""
    try:
        return open_private(str(file), os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if _can_not_write(error):
            with suppress(OSError):
                return os.open(file, os.O_RDONLY)
        raise


def _can_not_write(error: OSError) -> bool:
    return error.errno in {errno.EROFS, errno.EACCES, errno.EPERM} or disk_is_full(error)


def _run_file(paths: Paths, name: str) -> Path:
    return paths.run_marks / f"{name}.lock"


def _read_process(descriptor: int) -> str:
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        number = os.read(descriptor, 32).strip()
        if number.isdigit():
            return f" (process {number.decode()})"
    return ""


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        """Raises PermissionError when another process has it; freed when the descriptor is closed."""
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        """Raises BlockingIOError when another process has it; freed when the descriptor is closed.

        flock and not lockf: that one is lost when the process closes any other descriptor of the file. Child
        processes do not keep it, because Python's descriptors are not inherited (PEP 446).
        """
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
