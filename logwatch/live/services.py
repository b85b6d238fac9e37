"""What usually listens on a port: the names that a person would say, for what is scanned most.

/etc/services is missing in slim images, and names hundreds of ports that nobody has met.
"""

SERVICES = {
    ("tcp", 20): "ftp data",
    ("tcp", 21): "ftp",
    ("tcp", 22): "ssh",
    ("tcp", 23): "telnet",
    ("tcp", 25): "smtp",
    ("tcp", 53): "dns",
    ("udp", 53): "dns",
    ("udp", 67): "dhcp",
    ("udp", 69): "tftp",
    ("tcp", 80): "http",
    ("tcp", 110): "pop3",
    ("tcp", 111): "rpcbind",
    ("udp", 111): "rpcbind",
    ("udp", 123): "ntp",
    ("tcp", 135): "msrpc",
    ("udp", 137): "netbios",
    ("tcp", 139): "netbios",
    ("tcp", 143): "imap",
    ("udp", 161): "snmp",
    ("tcp", 179): "bgp",
    ("tcp", 389): "ldap",
    ("tcp", 443): "https",
    ("udp", 443): "quic",
    ("tcp", 445): "smb",
    ("tcp", 465): "smtps",
    ("udp", 500): "ike",
    ("udp", 514): "syslog",
    ("tcp", 587): "submission",
    ("tcp", 636): "ldaps",
    ("tcp", 873): "rsync",
    ("tcp", 993): "imaps",
    ("tcp", 995): "pop3s",
    ("tcp", 1080): "socks",
    ("tcp", 1433): "mssql",
    ("tcp", 1521): "oracle",
    ("tcp", 1723): "pptp",
    ("tcp", 1883): "mqtt",
    ("udp", 1900): "ssdp",
    ("tcp", 2049): "nfs",
    ("tcp", 2375): "docker",
    ("tcp", 2376): "docker",
    ("tcp", 2379): "etcd",
    ("tcp", 2380): "etcd",
    ("tcp", 3306): "mysql",
    ("tcp", 3389): "rdp",
    ("udp", 3389): "rdp",
    ("udp", 4789): "vxlan",
    ("udp", 5060): "sip",
    ("tcp", 5060): "sip",
    ("tcp", 5432): "postgresql",
    ("tcp", 5555): "adb",
    ("tcp", 5672): "amqp",
    ("tcp", 5900): "vnc",
    ("tcp", 5985): "winrm",
    ("tcp", 6379): "redis",
    ("tcp", 6443): "kubernetes api",
    ("tcp", 8080): "http",
    ("tcp", 8443): "https",
    ("tcp", 9090): "prometheus",
    ("tcp", 9092): "kafka",
    ("tcp", 9200): "elasticsearch",
    ("tcp", 10250): "kubelet",
    ("tcp", 10255): "kubelet",
    ("tcp", 11211): "memcached",
    ("udp", 11211): "memcached",
    ("tcp", 27017): "mongodb",
    ("udp", 51820): "wireguard",
}
"""IANA's service names where it has the usual one; else the name of the program."""

NODE_PORTS = range(30000, 32768)
"""Kubernetes gives a Service of type NodePort one of these by default."""


def service(protocol: str, port: str) -> str | None:
    """Name what listens there usually; None where nobody would know."""
    if not port.isdecimal():
        return None
    number = int(port)
    if number in NODE_PORTS and protocol in {"tcp", "udp", "sctp"}:
        return "node port"
    return SERVICES.get((protocol, number))
