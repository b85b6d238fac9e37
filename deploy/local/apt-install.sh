#!/bin/sh
# Installs the Debian packages that are named and missing: apt-install.sh PACKAGE...
# Works as root or with sudo; says nothing when there is nothing to do.
set -eu

missing=""
for package in "$@"; do
    case "$(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null || true)" in
        "install ok installed") ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1; then
    as_root="sudo"
else
    echo "missing packages:$missing; run this as root, or install sudo" >&2
    exit 1
fi

echo "== installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A minimal system must not start a daemon that would compete with the tests' own (rsyslogd for the
# kernel log). policy-rc.d is Debian's way to say so; an existing one is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    trap 'rm -f "$log"; $as_root rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086  # the list is meant to be split into words
if ! { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "apt-get failed (its output is above); missing packages:$missing" >&2
    exit 1
fi
