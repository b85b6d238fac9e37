#!/usr/bin/env bash
# Installs cargo-fuzz into FOLDER, which is a cache outside the checkout: `install.sh FOLDER`.
# Also a C++ compiler, with which libfuzzer-sys builds libFuzzer. Nothing is done where they are.
set -euo pipefail

folder=$1
if ! command -v c++ >/dev/null; then
    "$(dirname "$0")/../../deploy/local/apt-install.sh" g++
fi
if [ ! -x "$folder/bin/cargo-fuzz" ]; then
    echo "== installing cargo-fuzz into $folder (a minute the first time)"
    cargo install --quiet cargo-fuzz --locked --root "$folder" --target-dir "$folder/build"
    rm -rf "$folder/build"
fi
