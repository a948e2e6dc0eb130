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

sh scripts/window-libraries.sh "$platform" || exit 1
exec "$ringback"
