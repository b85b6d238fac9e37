"""Every recorded case, in the order of recording."""

from lab.cases import by_hand, ipv4, ipv6, losses, node, syslog

CASES = (*ipv4.CASES, *ipv6.CASES, *node.CASES, *syslog.CASES, *by_hand.CASES, *losses.CASES)
