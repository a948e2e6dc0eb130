#!/bin/sh
# Starts Ringback from its source: the window where there is a display, the demo in the terminal elsewhere.
# Its argument is the folder with the environment's programs.
set -u
ringback="$1/ringback"

case $(uname -s) in
    Linux) ;;
    *) exec "$ringback" ;;
esac

if [ -n "${WAYLAND_DISPLAY:-}" ]; then
    platform=wayland
elif [ -n "${DISPLAY:-}" ]; then
    platform=xcb
else
    echo "There is no display here, so this is the demo in the terminal."
    exec "$ringback" demo
fi

packages=$(sh scripts/qt-libraries.sh "$platform")
# shellcheck disable=SC2086 # a list of package names
if [ -n "$packages" ] && ! sh scripts/debian-install.sh $packages; then
    echo "The window needs these Debian packages, or their like on another Linux: $packages" >&2
    echo "Install them (sudo apt install $packages) and run this again." >&2
    exit 1
fi
exec "$ringback"
