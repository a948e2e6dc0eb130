#!/bin/sh
# Installs atheris (Apache-2.0), a fuzzer that is guided by coverage, where it has a wheel: Linux on x86-64 with
# Python 3.11 or 3.12. Its argument is the environment's Python. Tests don't need it, so no lock file has it.
set -u
"$1" -c "import atheris" 2>/dev/null && exit 0
[ "$(uname -s)" = Linux ] && "$1" -m pip --disable-pip-version-check install -qq --no-deps --only-binary :all: \
    --require-hashes --requirement tests/hostile/fuzz/requirements.txt && exit 0
echo "atheris can't be installed here: it has wheels for Linux on x86-64 only." >&2
exit 0
