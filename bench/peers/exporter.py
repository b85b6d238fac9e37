"""prometheus_client's own server, with as many series as an agent shows by default.

Usage: exporter.py PORT [CERTIFICATE KEY]
"""

import sys
import threading

from prometheus_client import CollectorRegistry, Counter, start_http_server

SERIES = 1_400

port, *files = sys.argv[1:]
registry = CollectorRegistry()
counter = Counter("peer_packets", "Packets.", ["source"], registry=registry)
for number in range(SERIES):
    counter.labels(f"198.18.{number // 256}.{number % 256}").inc()
certificate, key = files or (None, None)
start_http_server(int(port), "127.0.0.1", registry, certificate, key)
threading.Event().wait()
