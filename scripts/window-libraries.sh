#!/bin/sh
# Makes sure of the libraries that Qt needs for a window: window-libraries.sh xcb|wayland
# Installs their Debian packages where it can; else says which ones to install, and fails.
set -u
packages=$(sh scripts/qt-libraries.sh "$1")
[ -z "$packages" ] && exit 0
# shellcheck disable=SC2086 # a list of package names
sh scripts/debian-install.sh $packages && exit 0
echo "The window needs these Debian packages, or their like on another Linux: $packages" >&2
echo "Install them (sudo apt install $packages) and run this again." >&2
exit 1
