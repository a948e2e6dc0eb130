"""No core file of ours: it would hold the passwords that the process has in memory.

An engine can be made to fail by whoever is at the other end of the network, so this is called first in every
process, before there is a password.
"""

from __future__ import annotations

import contextlib
import sys

_PR_SET_DUMPABLE = 4
# The process ends without a report of its memory: SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX
_NO_ERROR_BOX = 0x0001 | 0x0002
# Where there is a report all the same, it has no heap: WER_FAULT_REPORTING_FLAG_NOHEAP
_NO_HEAP = 0x0001


def forbid_core_files() -> None:
    """Have this process leave no memory behind when it fails; never fails itself.

    Linux: no core file (`RLIMIT_CORE`), and no memory in one that the system's own collector makes all the
    same (`/proc/self/coredump_filter`, core(5)). macOS: `RLIMIT_CORE`. Windows: no error report, and none
    with the heap in it.
    """
    # A step that this system does not have must not keep the program from starting
    with contextlib.suppress(OSError, ValueError, AttributeError, ImportError):
        if sys.platform == "win32":
            _forbid_reports()
            return
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError), open("/proc/self/coredump_filter", "wb", buffering=0) as kept:
            kept.write(b"0\n")


def keep_others_out() -> None:
    """Keep other programs of this user from reading the process's memory (`PR_SET_DUMPABLE`, Linux).

    Not for a window: desktop portals look at /proc/PID/root before they open a file dialog or tell whether
    the desktop is dark, and refuse a process that they may not look at (flatpak/xdg-desktop-portal issues 785
    and 1490). To be called after `forbid_core_files`, as `/proc/self` is not the user's own any more.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError, ImportError):
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _forbid_reports() -> None:
    if sys.platform == "win32":
        import ctypes

        kernel32 = ctypes.windll.kernel32
        kernel32.SetErrorMode(kernel32.GetErrorMode() | _NO_ERROR_BOX)
        kernel32.WerSetFlags(_NO_HEAP)
