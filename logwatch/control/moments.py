"""Times as everybody reads them."""

import time


def moment(seconds: float) -> str:
    """Write Unix seconds as RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
