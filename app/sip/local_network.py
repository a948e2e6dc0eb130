"""What this machine itself knows about the network: names it can look up, addresses it has a way to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

# EAI_NODATA is not everywhere; 11004 is Windows' WSANO_DATA, a name without an address
_UNKNOWN_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME), 11004}


def has_route(address: str, port: int) -> bool:
    """Whether this machine knows a way to an address: connecting a UDP socket asks the routing table only."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, port))
    except OSError:
        return False
    return True


async def ask_system(name: str) -> tuple[str, ...]:
    """Addresses by the operating system's own lookup: hosts file, mDNS, search domains, its name servers.

    It runs in a daemon thread of its own, because it can't be cancelled and may take half a minute: a thread
    of the event loop's pool would hold up the end of the program.

    Raises:
        OSError: It could not find out.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def tell(addresses: tuple[str, ...], error: OSError | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(error)

    def ask() -> None:
        addresses: tuple[str, ...] = ()
        failed: OSError | None = None
        try:
            infos = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
            addresses = tuple(dict.fromkeys(str(info[4][0]) for info in infos))
        except socket.gaierror as error:
            failed = None if error.errno in _UNKNOWN_NAME else error
        except OSError as error:
            failed = error
        except UnicodeError:
            pass  # a name that its encoding has no form for is an unknown name
        # The loop may be gone by now: nobody waits any more
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, addresses, failed)

    threading.Thread(target=ask, name=f"lookup of {name}", daemon=True).start()
    return await answer
