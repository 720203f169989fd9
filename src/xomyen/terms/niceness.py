"""Lets recording go before everything else on a node."""

import logging
import os

_LOG = logging.getLogger(__name__)
_NICENESS = 5  # nice(2): 0 is a process like any other, 19 the one that waits longest


def give_way() -> None:
    """This process gets the processor after those that record.

    A sandbox that refuses it is no reason to have no pictures: then all of them share alike.
    """
    try:
        os.nice(_NICENESS)
    except PermissionError:
        _LOG.warning("the system refuses setpriority(2); this process does not give way to recording")
