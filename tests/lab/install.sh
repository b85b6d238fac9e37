#!/bin/sh
# Installs the Debian packages that the lab's real parts come from: only those that are missing.
exec "$(dirname "$0")/../../deploy/local/apt-install.sh" \
    iproute2 iptables nftables procps rsyslog logrotate systemd-journal-remote
