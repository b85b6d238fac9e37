"""What the core calls a source, and the network that a ban of it denies."""

from logwatch.blacklist import Network, network_of


def banned_as(network: Network) -> Network:
    """What a ban of an address would deny; a wider network stays what it is."""
    whole = network_of(str(network.network_address))
    return whole if network.prefixlen > whole.prefixlen else network


def source_of(network: Network) -> str | None:
    """What the core calls the source that a network stands for; None for several sources."""
    address = str(network.network_address)
    if network != network_of(address):
        return None
    return str(network) if ":" in address else address
