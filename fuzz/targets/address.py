"""Addresses of files as records have them; where MLflow would go by one that is followed is asked of MLflow.

byte 0    which store the config names beside the tracking server
rest      the address, UTF-8
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from fuzz.parts import choose
from fuzz.target import FindingError, Target
from micrograde.store import local_store, server_store
from micrograde.store.local_addresses import folder_here
from micrograde.store.server_files import ForeignAddressError, check_address

_SERVER = "https://me:secret@mlflow.example:5000/sub"
_HOST, _ENDPOINT = "mlflow.example:5000", "/sub/api/2.0/mlflow-artifacts/artifacts"
_NAMED = ("", "s3://bucket/in", "{folder}/in", "https://files.example/in", "sftp://me@files.example/in")


def _read(folder: Path, content: bytes) -> object:
    address = content[1:].decode("utf-8", "replace")
    here = folder_here(address, local_store(folder))
    named = choose(content, 0, _NAMED).format(folder=folder)
    opened = check_address(address, server_store(_SERVER, folder, named or None), "run 7")
    return folder, here, named, opened


def _check(result: Any) -> None:
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository
    from mlflow.utils.file_utils import local_file_uri_to_path
    from requests import Request

    folder, here, named, opened = result
    if here is not None and not here.is_relative_to(os.path.realpath(folder / "mlruns")):
        raise FindingError(f"a local store's files in {here}")
    if opened.startswith("mlflow-artifacts:/"):
        url = str(Request("GET", MlflowArtifactsRepository.resolve_uri(opened, _SERVER)).prepare().url)
        parts = urlsplit(url)
        if parts.netloc.rpartition("@")[2] != _HOST or not f"{parts.path}/".startswith(f"{_ENDPOINT}/"):
            raise FindingError(f"{opened} leads to {url}")
    elif named.startswith("s3:"):
        parse: Any = S3ArtifactRepository.parse_s3_compliant_uri  # a method that uses nothing of its object
        bucket, path = parse(None, opened)
        if bucket != "bucket" or not f"{path}/".startswith("in/"):
            raise FindingError(f"{opened} leads to {path} of {bucket}")
    elif named.startswith("/"):
        if not Path(os.path.realpath(local_file_uri_to_path(opened))).is_relative_to(named):
            raise FindingError(f"{opened} leads out of {named}")
    else:
        host = urlsplit(opened).hostname
        if host != "files.example" or not f"{urlsplit(opened).path}/".lstrip("/").startswith("in/"):
            raise FindingError(f"{opened} leads to {host}")
    if ".." in unquote(unquote(opened)).split("/"):
        raise FindingError(f"{opened} leads up")


def _seeds() -> list[bytes]:
    addresses = (
        "mlflow-artifacts:/1/r/artifacts",
        "mlflow-artifacts://mlflow.example:5000/1/r",
        f"https://{_HOST}{_ENDPOINT}/1/r",
        "s3://bucket/in/1/r",
        "https://files.example/in/1",
        "sftp://me:secret@files.example/in/1",
        "file:///tmp/in",
        "runs:/1/model",
        "mlflow-artifacts://other-host/1",
    )
    return [bytes([kind]) + each.encode() for kind in range(len(_NAMED)) for each in addresses]


def _bombs() -> list[bytes]:
    return [
        b"\0" + each
        for each in (
            b"x" * 2**20,
            b"s3://" + b"%25" * 2**18,
            b"://" * 2**18,
            b"/" * 2**20,
            b"mlflow-artifacts:/" + b"../" * 2**18,
        )
    ]


ADDRESS = Target(
    "address",
    _read,
    _seeds,
    _bombs,
    words=(
        b"mlflow-artifacts:", b"https://", b"s3://", b"sftp://", b"file://", b"@", b":5000", b"..", b"%2e%2e",
        b"%2f", b"%25", b"%5c", b"\\", b"bucket", b"files.example", b"mlflow.example", b"localhost", b"[::1]",
        b"?", b"#", b"\xe2\x80\xae", b"/in", b"in-evil",
    ),
    refusals=(ForeignAddressError,),
    check=_check,
)  # fmt: skip
