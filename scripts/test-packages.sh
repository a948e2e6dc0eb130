#!/bin/sh
# Installs the Debian packages that some tests need, where it can; else says which tests will be skipped.
#
# In CI (CI set) a package that can't be installed is an error: there a skipped test counts as a failed one.
set -u
cd "$(dirname "$0")/.." || exit 1

[ "$(uname -s)" = Linux ] || {
    echo "The tests against Kamailio, SIPp, PulseAudio and the GNOME keyring run on Linux only: skipped here."
    exit 0
}

missing=""
without=""
# need COMMAND-OR-FILE PACKAGE TESTS; an empty first argument is never found
need() {
    case $1 in
        "") ;;
        /*) for found in $1; do [ -e "$found" ] && return; done ;;
        *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null && return ;;
    esac
    missing="$missing $2"
    without="$without
  $2: $3"
}

need kamailio kamailio "tests/peers (registrar and proxy)"
need "/usr/lib/*/kamailio/modules/tls.so" kamailio-tls-modules "tests/peers over TLS"
need sipp sip-tester "tests/peers (calls)"
need baresip baresip-core "tests/peers (calls with another phone)"
need ip iproute2 "tests/hostile (ICMP errors)"
need pulseaudio pulseaudio "tests of microphone and speaker"
need pactl pulseaudio-utils "tests of microphone and speaker"
need gnome-keyring-daemon gnome-keyring "tests of the system keyring"
need dbus-run-session dbus-daemon "tests of the system keyring"
need "/usr/share/fonts/*/*/*.ttf" fonts-dejavu-core "tests of the window (text)"
for package in $(sh scripts/qt-libraries.sh offscreen); do
    need "" "$package" "tests of the window"
done

[ -z "$missing" ] && exit 0

# shellcheck disable=SC2086 # a list of package names
if sh scripts/debian-install.sh $missing; then
    exit 0
fi
echo "These Debian packages are missing, so the tests named beside them can't run:$without"
echo "To have them run: sudo apt install$missing"
[ -z "${CI:-}" ]
