#!/bin/sh
# Installs the peers that logwatch is timed against: only those that are missing.
exec "$(dirname "$0")/../deploy/local/apt-install.sh" grep ripgrep mtail fail2ban
