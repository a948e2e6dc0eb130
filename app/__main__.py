"""Which role is this process: window, command line, engine or carrier? Decided before any other import."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the role that the arguments name and return the exit code."""
    from app.core_files import forbid_core_files, keep_others_out

    forbid_core_files()
    arguments = sys.argv[1:]
    if arguments[:1] == ["--role"]:
        # Hidden: how the program starts its own children, frozen or not
        keep_others_out()
        if arguments[1:] == ["engine"]:
            from app.sip.engine.process import main as engine_main

            return engine_main()
        if arguments[1:] == ["carrier"]:
            from app.sip.carrier.process import main as carrier_main

            return carrier_main()
    from app.composition import run
    from app.threads import leave

    return leave(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
