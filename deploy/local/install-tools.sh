#!/usr/bin/env bash
# Installs what building needs and a bare Debian lacks: a C linker and Python's venv module.
set -euo pipefail

python=${PYTHON:-python3}
packages=()
command -v cc >/dev/null || packages+=(gcc libc6-dev)
"$python" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)

for tool in cargo "$python"; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is missing: install Rust (1.88 or later) and Python (3.11 or later) first" >&2
        exit 1
    fi
done
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$python" --version) is too old: logwatch needs Python 3.11 or later" >&2
    exit 1
fi
rust=$(cargo --version | cut -d' ' -f2)
if [ "$(printf '%s\n' 1.88 "$rust" | sort -V | head -n 1)" != 1.88 ]; then
    echo "cargo $rust is too old: logwatch needs Rust 1.88 or later" >&2
    exit 1
fi
exec "$(dirname "$0")/apt-install.sh" "${packages[@]}"
