"""What ``ulimit -v`` leaves, looked at before NumPy is imported: where it is too little, much can happen."""

import resource

_LEAST = 768 * 2**20  # bytes of address space, most of it for libraries


def too_little_memory() -> str | None:
    """The line for a process that may not have what the libraries alone take; None if it may."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit >= _LEAST:
        return None
    return (
        f"ulimit -v allows {limit >> 20} MiB, and the libraries alone take {_LEAST >> 20}; "
        "allow more: ulimit -v 4194304"
    )
