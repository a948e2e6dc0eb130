#!/bin/sh
# Makes sure of what PyInstaller needs on Debian: objdump, Python's own library, and Qt's for a window, which go
# into the folder app. Its argument is the environment's Python. Other systems bring all of it.
set -u
[ "$(uname -s)" = Linux ] || exit 0

missing="$(sh scripts/qt-libraries.sh xcb)$(sh scripts/qt-libraries.sh wayland)"
command -v objdump >/dev/null || missing="$missing binutils"
# Debian's python3 has its library built in, and a frozen program needs it apart
library=$("$1" -c 'import sys; print("libpython%d.%d" % sys.version_info[:2] if sys.base_prefix == "/usr" else "")')
if [ -n "$library" ] && ! ls /usr/lib/*/"$library".so.1.0 >/dev/null 2>&1; then
    missing="$missing $library"
fi

[ -z "$missing" ] && exit 0
# shellcheck disable=SC2086 # a list of package names
sh scripts/debian-install.sh $missing && exit 0
echo "Packaging may need these Debian packages, or their like on another Linux: $missing" >&2
