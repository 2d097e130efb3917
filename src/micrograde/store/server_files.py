"""Where the files of a server's runs may be: the one place that says so, through which all use of them goes.

Each run, experiment and logged model on a server has an address for its files, and whoever can write there
can make it any. MLflow's client goes wherever that leads, and takes the user's password along. Here files are
fetched from, and put to, the tracking server itself, or a store that the config names
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

_LONGEST = 1000  # characters of an address; no store makes such long ones
_SHOWN = 150  # characters of one in a line
_PORTS = {"http": 80, "https": 443}
_OF_SERVER = "mlflow-artifacts"
_ENDPOINT = ("api", "2.0", _OF_SERVER, "artifacts")  # of a server, behind the path of its own address
_NO_STORES = ("runs", "models")  # addresses of MLflow's that stand for others
_OF_HOSTS = ("http", "https", _OF_SERVER, "ftp", "sftp")  # others have buckets and the like
_WITH_USER = ("ftp", "sftp", "wasb", "wasbs", "abfs", "abfss")  # or with a container before the @
_WITH_PASSWORD = ("ftp", "sftp")  # of which a password makes no other place
_PLAIN = re.compile(r"[\w./:@%+~$-]+")  # what a shell and Hydra's grammar take without quotes
_RUN = re.compile(r"/([0-9a-f]{32}|models/m-[0-9a-f]{32})(/.*)?$")


class ForeignAddressError(InputError):
    """Files are at an address that is neither the tracking server's nor named by the config."""


@dataclass(frozen=True)
class Address:
    """An address of files, taken apart.

    Attributes
    ----------
    authority
        What stands between ``//`` and the path; a host in small letters.
    port
        As it is written; None if it is not.
    path
        Its parts; none of them is empty, or leads up, however it is written.
    """

    scheme: str
    authority: str
    port: int | None
    path: tuple[str, ...]

    @property
    def local(self) -> Path | None:
        """The folder, if it is one of this machine."""
        return Path("/", *self.path) if self.scheme == "file" else None

    @property
    def names_user(self) -> bool:
        """Whether it brings a user's name of its own where there should be none."""
        return "@" in self.authority and self.scheme not in _WITH_USER

    def is_within(self, other: "Address") -> bool:
        """Whether that is the same place or one that this one lies in, by whole parts of the path."""
        folder, root = self.local, other.local
        if folder and root:
            return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))
        origins = [(each.scheme, each.authority, each._port()) for each in (self, other)]
        return origins[0] == origins[1] and self.path[: len(other.path)] == other.path

    def is_on_server(self, tracking_uri: str) -> bool:
        """Whether its files are kept by the tracking server: the same scheme, host and port."""
        server = parse_address(tracking_uri)
        if server is None or server.scheme not in _PORTS:
            return False
        if self.scheme == _OF_SERVER and self.path in ((), _ENDPOINT):
            return False  # MLflow leaves out the path of the server's own address then
        if self.scheme == _OF_SERVER and not self.authority and self.port is None:
            return True
        scheme = server.scheme if self.scheme == _OF_SERVER else self.scheme
        host = server.authority.rpartition("@")[2]  # no user's name in the address that a record brings
        if (scheme, self.authority, self.port or _PORTS.get(scheme)) != (server.scheme, host, server._port()):
            return False
        root = (*server.path, *_ENDPOINT)
        return self.scheme == _OF_SERVER or (self.path[: len(root)] == root and len(self.path) > len(root))

    def _port(self) -> int | None:
        return self.port or _PORTS.get(self.scheme)


def parse_address(address: str) -> Address | None:
    """An address of files taken apart; None for what is none, or might be read in two ways."""
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
    """The address of a server's files as it is to be opened.

    Parameters
    ----------
    whose
        What has it, as a line begins: ``run 3cf88ee7``.

    Raises
    ------
    ForeignAddressError
        If files are neither fetched from there nor put there; the line says what to type if they should be.
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
    """MLflow's means to list, fetch and put the files at this address; raises as ``check_address``."""
    checked = check_address(address, location, whose)
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(checked, tracking_uri=location.tracking_uri)


def named_folder(address: str, location: StoreLocation, whose: str) -> Path | None:
    """The folder of this machine that an address means, if the config names such; raises likewise."""
    if not check_address(address, location, whose).startswith(f"{_OF_SERVER}:"):
        found = parse_address(address)
        return found.local if found else None
    return None


def _authority(scheme: str, netloc: str) -> str:
    """Without the port, a host in small letters; a user's name stays as it is, and belongs to it.

    Of what is no host, such as a bucket, all of it.
    """
    if scheme not in _OF_HOSTS:
        return netloc
    user, at, host = netloc.rpartition("@")
    host = host if re.fullmatch(r"\[.*\]|[^:]*", host) else host.rpartition(":")[0]
    if scheme in _WITH_PASSWORD:
        user = user.partition(":")[0]
    return f"{user}{at}{host.lower()}"


def _is_readable(address: str) -> bool:
    """Whether every character stands for itself: no line ends, nothing that is not seen, no backslash."""
    return "\\" not in address and address.isprintable()


def _is_sound(steps: tuple[str, ...]) -> bool:
    """Whether no part leads up, or elsewhere, however often it is unquoted."""
    for step in steps[1:] if steps[:1] == ("/",) else steps:
        plain = step
        for _ in range(len(step)):
            before, plain = plain, unquote(plain)
            if plain == before:
                break
        if plain in (".", "..") or set(plain) & {"/", "\\"} or not _is_readable(plain):
            return False
    return True


def shown_address(address: str) -> str:
    """An address in a line: without a password, of a length that fits."""
    text = printable(without_password(address[: 2 * _LONGEST]))
    text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)  # wide spaces, too
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _how_to_name(address: str) -> str:
    """What to type: the experiment's address, which the files of its runs and models lie in.

    Of one that is long as much of it as fits a line.
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
