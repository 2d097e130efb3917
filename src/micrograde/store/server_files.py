"""Check the addresses of a server's files; all access to these files goes through this module.

Each run, experiment and logged model on a server has an address for its files, and anybody who can write to
the server can set it to anything. MLflow's client opens any such address, and sends the user's password
along. Here files are read from and written to the tracking server itself, or a store that the config names
(``tracking.artifacts``), and no other address is opened.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.redaction import HIDDEN, without_password
from micrograde.store.local_addresses import local_path
from micrograde.store.location import StoreLocation

if TYPE_CHECKING:
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

_LONGEST = 1000  # characters of an address; no store creates longer ones
_SHOWN = 150  # characters of an address in a message
_PORTS = {"http": 80, "https": 443}
_OF_SERVER = "mlflow-artifacts"
_ENDPOINT = ("api", "2.0", _OF_SERVER, "artifacts")  # path of a server's files, after that of its own address
_NO_STORES = ("runs", "models")  # schemes of MLflow's that refer to other addresses
_OF_HOSTS = ("http", "https", _OF_SERVER, "ftp", "sftp")  # other schemes have buckets and the like
_WITH_USER = ("ftp", "sftp", "wasb", "wasbs", "abfs", "abfss")  # a user, or a container, before the @
_WITH_PASSWORD = ("ftp", "sftp")  # the password is not a part of what the address means
_PLAIN = re.compile(r"[\w./:@%+~$-]+")  # what a shell and Hydra's grammar take without quotes
_RUN = re.compile(r"/([0-9a-f]{32}|models/m-[0-9a-f]{32})(/.*)?$")


class ForeignAddressError(InputError):
    """Files are at an address that is neither the tracking server's nor named by the config."""


@dataclass(frozen=True)
class Address:
    """A parsed address of files.

    Attributes
    ----------
    authority
        The part between ``//`` and the path, without the port; hosts are in lower case.
    port
        The port in the address; None if it gives none.
    path
        The parts of the path; none is empty or leads to a parent folder, even after decoding.
    """

    scheme: str
    authority: str
    port: int | None
    path: tuple[str, ...]

    @property
    def local(self) -> Path | None:
        """The folder, if the address is one on this machine; else None."""
        return Path("/", *self.path) if self.scheme == "file" else None

    @property
    def names_user(self) -> bool:
        """Whether the address contains a user's name although its scheme has none."""
        return "@" in self.authority and self.scheme not in _WITH_USER

    def is_within(self, other: "Address") -> bool:
        """Return whether this address is ``other`` or below it, by whole parts of the path."""
        folder, root = self.local, other.local
        if folder and root:
            return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))
        origins = [(each.scheme, each.authority, each._port()) for each in (self, other)]
        return origins[0] == origins[1] and self.path[: len(other.path)] == other.path

    def is_on_server(self, tracking_uri: str) -> bool:
        """Return whether the tracking server keeps the files: it has the same scheme, host and port."""
        server = parse_address(tracking_uri)
        if server is None or server.scheme not in _PORTS:
            return False
        if self.scheme == _OF_SERVER and self.path in ((), _ENDPOINT):
            return False  # MLflow would then leave out the path of the server's own address
        if self.scheme == _OF_SERVER and not self.authority and self.port is None:
            return True
        scheme = server.scheme if self.scheme == _OF_SERVER else self.scheme
        host = server.authority.rpartition("@")[2]  # a recorded address must not contain a user's name
        if (scheme, self.authority, self.port or _PORTS.get(scheme)) != (server.scheme, host, server._port()):
            return False
        root = (*server.path, *_ENDPOINT)
        return self.scheme == _OF_SERVER or (self.path[: len(root)] == root and len(self.path) > len(root))

    def _port(self) -> int | None:
        return self.port or _PORTS.get(self.scheme)


def parse_address(address: str) -> Address | None:
    """Parse an address of files; return None if it is invalid or ambiguous."""
    if not address or len(address) > _LONGEST or not _is_readable(address):
        return None
    path = local_path(address)
    if path is not None:
        return (
            Address("file", "", None, path.parts[1:])
            if path.is_absolute() and _is_sound(path.parts)
            else None
        )
    try:
        parts = urlsplit(address)
        port = parts.port if parts.scheme in _OF_HOSTS else None
    except ValueError:
        return None
    steps = tuple(step for step in parts.path.split("/") if step)
    authority = _authority(parts.scheme, parts.netloc)
    if not parts.scheme or parts.scheme == "file" or not _is_sound(steps) or set(address) & {"?", "#"}:
        return None
    if parts.scheme in _NO_STORES or not (authority or (parts.scheme == _OF_SERVER and port is None)):
        return None
    return Address(parts.scheme, authority, port, steps)


def check_address(address: str, location: StoreLocation, whose: str) -> str:
    """Return the address of a server's files in the form in which it is to be opened.

    Parameters
    ----------
    whose
        What has this address, for the beginning of an error message: ``run 3cf88ee7``.

    Raises
    ------
    ForeignAddressError
        If files may not be read or written at this address; the message says what to type to allow it.
    """
    found = parse_address(address)
    if found and found.is_on_server(location.tracking_uri):
        server = parse_address(location.tracking_uri)
        skipped = 0 if found.scheme == _OF_SERVER else len(server.path if server else ()) + len(_ENDPOINT)
        return f"{_OF_SERVER}:/{'/'.join(found.path[skipped:])}"  # MLflow then takes the server's own address
    named = parse_address(location.artifacts) if location.artifacts else None
    if found and named and found.is_within(named):
        return address
    where = f"{whose}: its files are at {shown_address(address)}"
    if found is None or found.names_user or not (found.authority or found.local):
        raise ForeignAddressError(f"{where}, which is no address of files; nothing is fetched or put there")
    raise ForeignAddressError(
        f"{where}, which is neither on the tracking server nor in a store that the config names; "
        f"if it is to be trusted, {_how_to_name(address)}"
    )


def open_files(address: str, location: StoreLocation, whose: str) -> "ArtifactRepository":
    """Return MLflow's repository for the files at this address; raises as ``check_address``."""
    checked = check_address(address, location, whose)
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(checked, tracking_uri=location.tracking_uri)


def named_folder(address: str, location: StoreLocation, whose: str) -> Path | None:
    """Return the folder on this machine that an address means, if the config names one; else None.

    Raises as ``check_address``.
    """
    if not check_address(address, location, whose).startswith(f"{_OF_SERVER}:"):
        found = parse_address(address)
        return found.local if found else None
    return None


def _authority(scheme: str, netloc: str) -> str:
    """Return the authority without port and password, the host in lower case, the user's name unchanged.

    If it is not a host, such as a bucket, it is returned unchanged.
    """
    if scheme not in _OF_HOSTS:
        return netloc
    user, at, host = netloc.rpartition("@")
    host = host if re.fullmatch(r"\[.*\]|[^:]*", host) else host.rpartition(":")[0]
    if scheme in _WITH_PASSWORD:
        user = user.partition(":")[0]
    return f"{user}{at}{host.lower()}"


def _is_readable(address: str) -> bool:
    """Return whether all characters are printable, with no line ends and no backslashes."""
    return "\\" not in address and address.isprintable()


def _is_sound(steps: tuple[str, ...]) -> bool:
    """Return whether no part of a path leads to another folder, however often it is percent-decoded."""
    for step in steps[1:] if steps[:1] == ("/",) else steps:
        plain = step
        for _ in range(len(step)):
            before, plain = plain, unquote(plain)
            if plain == before:
                break
        if plain in (".", "..") or set(plain) & {"/", "\\"} or not _is_readable(plain):
            return False
    return True


def public_address(tracking_uri: str) -> str:
    """Return the address without user name and password, which MLflow can also take from its variables."""
    return without_password(tracking_uri).replace(f"{HIDDEN}@", "", 1)


def shown_address(address: str) -> str:
    """Return an address as messages show it: without password, printable, at most 150 characters."""
    text = printable(without_password(address[: 2 * _LONGEST]))
    text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)  # wide spaces, too
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _how_to_name(address: str) -> str:
    """Return what to type to allow the address of the experiment, which contains the files of its runs.

    An address that is too long for a line is shortened to a folder above it.
    """
    store = _RUN.sub("", address)
    while len(store) > _SHOWN and parse_address(shorter := store.rpartition("/")[0]):
        store = shorter  # a folder above
    if HIDDEN in without_password(store) or len(store) > _SHOWN:
        return "add tracking.artifacts= with this address, whole, and with its user"
    if _PLAIN.fullmatch(store):
        return f"add tracking.artifacts={store}"
    quoted = store.replace('"', '\\"')
    return f"add 'tracking.artifacts=\"{quoted}\"'"
