"""The engine's process: the wire on one side, the engine on the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.errors import UserError
    from app.sip.messages import Refused


def main() -> int:
    """Run until told to stop, until the parent is gone or until terminated; returns the exit code."""
    # msgspec takes typing_extensions where it happens to be installed, and an engine 1 MB more for nothing;
    # what comes next imports it
    sys.modules.setdefault("typing_extensions", None)  # type: ignore[arg-type]  # None means "not there"
    # Nor does hashing need OpenSSL, which is 3 MB more; where it does, `app.sip.syntax.hashes` loads it
    sys.modules.setdefault("_hashlib", None)  # type: ignore[arg-type]  # as above

    from app.sip.wire import claim_stdout

    wire = claim_stdout()

    import faulthandler
    import os
    import queue
    import signal
    import threading

    # A SIGABRT of the stack then leaves its stack in the parent's log
    faulthandler.enable(file=sys.stderr)

    from app.errors import UserError
    from app.sip.engine.core import Engine
    from app.sip.messages import (
        PROTOCOL_VERSION,
        Answer,
        Bug,
        Done,
        Hello,
        Ping,
        Request,
        Stop,
    )
    from app.sip.outbox import Outbox
    from app.sip.wire import LineDecoder, WireError

    ending = False

    def parent_gone() -> None:
        nonlocal ending
        ending = True

    inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    outbox = Outbox(wire, parent_gone)
    send = outbox.send
    engine = Engine(send)

    def read() -> None:
        with os.fdopen(0, "rb", closefd=False) as lines:
            for line in lines:
                inbox.put(line)
                engine.wake()
        inbox.put(None)
        engine.wake()

    # Ended from outside, it hangs up and unregisters as it does on `Stop`. Where such signals do not exist,
    # on Windows, the end of standard input is the way to ask for that.
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: inbox.put(None))

    decoder: LineDecoder[Request] = LineDecoder(Request)
    stop_id: int | None = None

    def obey(line: bytes) -> None:
        nonlocal stop_id
        request = decoder.decode(line)
        try:
            if not isinstance(request.command, Ping):
                engine.handle(request.command)
        except UserError as error:
            answer = Answer(id=request.id, result=_refused(error))
        except Exception as error:  # noqa: BLE001  # the command loop: a bug is told, not hidden
            import traceback  # here, as an engine without faults needs none of it

            traceback.print_exc()
            answer = Answer(id=request.id, result=Bug(details=f"{type(error).__name__}: {error}"))
        else:
            if isinstance(request.command, Stop):
                stop_id = request.id
                return
            answer = Answer(id=request.id, result=Done())
        send(answer)

    code = 0
    try:
        send(Hello(protocol=PROTOCOL_VERSION, pid=os.getpid(), capabilities=engine.capabilities()))
        threading.Thread(target=read, daemon=True, name="commands").start()
        while not engine.finished:
            engine.poll()
            while not inbox.empty():
                line = inbox.get_nowait()
                if line is None:
                    ending = True
                else:
                    obey(line)
            if ending:
                engine.handle(Stop())
        if stop_id is not None:
            send(Answer(id=stop_id, result=Done()))
    except WireError as error:
        sys.stderr.write(f"the parent speaks another language: {error}\n")
        code = 3
    finally:
        # PJSIP must end before the interpreter does, whatever happened
        ended = engine.close()
    if not (outbox.close() and ended):
        sys.stderr.flush()
        os._exit(code)
    return code


def _refused(error: UserError) -> Refused:
    """An error's words for the wire; the system's own word for a computer without a network goes along."""
    import errno

    from app.model.outcome import LocalCause
    from app.sip.messages import Refused

    no_route = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
    # Windows Sockets numbers, where errno has others
    no_route |= {10050, 10051, 10064, 10065}
    behind = error.__cause__
    offline = isinstance(behind, OSError) and behind.errno in no_route
    return Refused(
        what=error.what,
        do=error.do,
        details=error.details,
        local_cause=LocalCause.NO_ROUTE if offline else LocalCause.NONE,
    )
