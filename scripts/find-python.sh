#!/bin/sh
# Prints the Python to build the environment with, or says what to install and fails.
#
# pjsua2, the SIP library, has wheels for CPython up to 3.12 only; the code needs 3.11. Each candidate is
# run, because a version manager may offer a command that does not work.
set -u

fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'

for candidate in ${RINGBACK_PYTHON:-} python3.12 python3.11 python3 python; do
    if "$candidate" -c "$fits" >/dev/null 2>&1; then
        echo "$candidate"
        exit 0
    fi
done

cat >&2 <<'TEXT'
Ringback needs Python 3.11 or 3.12 with its venv module, and none was found here.
  Debian 12, Ubuntu 24.04:  sudo apt install python3 python3-venv
  Fedora:                   sudo dnf install python3.12
  macOS:                    brew install python@3.12
  Windows:                  winget install Python.Python.3.12
If it is somewhere else, name it: make run RINGBACK_PYTHON=/path/to/python3.12
TEXT
exit 1
