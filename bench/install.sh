#!/bin/sh
# Installs the peers that logwatch is timed against, and what makes archives: only what is missing.
exec "$(dirname "$0")/../deploy/local/apt-install.sh" grep ripgrep mtail fail2ban gzip zstd openssl
