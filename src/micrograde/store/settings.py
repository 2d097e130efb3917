"""The kinds of values that the settings of MLflow's stores hold: addresses and names."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from micrograde.store.server_files import parse_address

_LONGEST_ADDRESS = 2000  # characters
_CHARACTER = r"(?:[^\s/?#@%:&=\[\]]|%(?!00)[\dA-Fa-f]{2})"
_USER = rf"{_CHARACTER}+(?::(?:{_CHARACTER}|[:&=])*)?@"
_HOST = r"(?:[\w.-]+|(?:%2[Ff][\w.-]+)+|\[[\dA-Fa-f:.]+\])(?::\d{1,5})?"
_DATABASE_ADDRESS = re.compile(
    rf"postgresql(?:\+\w+)?://(?:{_USER})?{_HOST}(?:,{_HOST})*"
    rf"(?:/{_CHARACTER}*(?:\?\w+={_CHARACTER}*(?:&\w+={_CHARACTER}*)*)?)?"
)


@dataclass(frozen=True)
class Checked:
    """Mark a text that a function checks, which raises ``ValueError`` with what the text should be.

    Attributes
    ----------
    most
        Characters that it may have; None for any number.
    """

    check: Callable[[str], str]
    most: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a text; pydantic asks for it."""
        text = {**handler(source), **({} if self.most is None else {"max_length": self.most})}
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": self.check},
            "schema": text,
        }


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


def database_address(value: str) -> str:
    """Check the address of a server's database: PostgreSQL's, with or without the name of a driver.

    PostgreSQL's library takes the first @ for the end of a password, and repeats in its messages what it then
    cannot read; so there is only one way to read what is let through.
    """
    if not _DATABASE_ADDRESS.fullmatch(value):
        raise ValueError(
            "should be an address such as postgresql://mlflow@db.example/mlflow; in a password / is %2F, "
            "? is %3F, # is %23, @ is %40, % is %25, [ is %5B, ] is %5D"
        )
    return value


RegisteredName = Annotated[str, Checked(registered_name, 250)]
ArtifactStore = Annotated[str, Checked(artifact_store)]
WebAddress = Annotated[str, Checked(web_address)]
DatabaseAddress = Annotated[str, Checked(database_address, _LONGEST_ADDRESS)]
