#!/bin/sh
# Installs the Debian packages that the lab's real parts come from: only those that are missing.
# What only recordings need is named: install.sh hping3 haproxy curl
exec "$(dirname "$0")/../../deploy/local/apt-install.sh" \
    iproute2 iptables nftables procps rsyslog logrotate nmap systemd-journal-remote etcd-server openssl \
    prometheus prometheus-alertmanager chromium "$@"
