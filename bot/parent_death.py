"""Processes that end when the one that started them is gone, also when it was killed without a word."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

# Loaded here and not after a fork, where loading could wait for a lock that nobody will release.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Has the kernel kill this process with the thread that started it (prctl(2)); does nothing outside Linux.

    ``parent``: the process id of the one that started this one. Made for ``preexec_fn`` and for the first lines of
    a forked worker. Everything stored is safe against a kill.
    """
    if _libc is None:
        return
    if _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)
