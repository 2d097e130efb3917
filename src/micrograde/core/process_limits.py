"""Check ``ulimit -v`` before NumPy is imported: with too little memory, libraries fail in many ways."""

import resource

_LEAST = 768 * 2**20  # bytes of address space, most of it for libraries


def too_little_memory() -> str | None:
    """Return an error line if this process may not use the memory that the libraries need; None if it may."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit >= _LEAST:
        return None
    return (
        f"ulimit -v allows {limit >> 20} MiB, and the libraries alone take {_LEAST >> 20}; "
        "allow more: ulimit -v 4194304"
    )
