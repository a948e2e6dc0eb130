#!/bin/sh
# Installs the Debian packages named as arguments; fails, and tells why, where that is not possible.
#
# Uses root or a sudo that asks for no password, never a prompt. RINGBACK_NO_APT=1 switches it off.
set -u

if [ -n "${RINGBACK_NO_APT:-}" ]; then
    echo "RINGBACK_NO_APT is set, so nothing is installed." >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here." >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root="env"
elif sudo -n true 2>/dev/null; then
    as_root="sudo env"
else
    echo "It takes root, and sudo asks for a password here." >&2
    exit 1
fi

# A server's package starts the server. A test machine wants the program, not one more service on port 5060.
policy=/usr/sbin/policy-rc.d
held=""
services_stay_off() {
    [ -e "$policy" ] && return
    held=yes
    $as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
}
services_as_before() {
    [ -n "$held" ] && $as_root rm -f "$policy"
    held=""
}
trap services_as_before EXIT
trap 'exit 1' HUP INT TERM

apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0"
echo "Installing Debian packages: $*"
services_stay_off
$apt update && $apt install --yes --no-install-recommends "$@" >/dev/null || exit 1
# Nor after the next start of the machine
[ -d /run/systemd/system ] || exit 0
for package in "$@"; do
    $as_root systemctl disable --quiet "$package.service" 2>/dev/null || true
done
