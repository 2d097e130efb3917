"""The kinds of values that the settings of MLflow's stores hold: addresses and names."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from micrograde.store.server_files import parse_address

_LONGEST_ADDRESS = 2000  # characters


def registered_name(value: str) -> str:
    """Check that a name can be used in MLflow's model registry, and in its addresses without quoting."""
    if not re.fullmatch(r"\w[\w.-]*", value):
        raise ValueError("should be a name of letters, digits, hyphens, underscores and dots")
    return value


def web_address(value: str) -> str:
    """Check the address of a server: every library must find the same host, user and password in it."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("should be an address that starts with http:// or https://")
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0 and len(value) <= _LONGEST_ADDRESS
        (parts.hostname or "").encode("idna")  # fails for a host name with an empty part or a long one
    except ValueError:
        has_host = False
    if not has_host or not value.isprintable() or " " in value:
        raise ValueError("should be an address such as https://mlflow.example:5000")
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("holds an @ behind the host; in a password / is %2F, ? is %3F, # is %23, @ is %40")
    return value


def artifact_store(value: str) -> str:
    """Check the address of an artifact store other than the tracking server itself."""
    found = parse_address(value)
    if found is None or found.local == Path("/"):
        raise ValueError("should be a store such as s3://bucket/prefix, or a folder such as /shared/mlruns")
    if found.names_user or (found.local is None and urlsplit(value).password is not None):
        raise ValueError("should hold no password; MLflow has variables for those of its stores")
    return value


RegisteredName = Annotated[str, Field(max_length=250), AfterValidator(registered_name)]
ArtifactStore = Annotated[str, AfterValidator(artifact_store)]
WebAddress = Annotated[str, AfterValidator(web_address)]
