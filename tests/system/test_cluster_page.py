"""The page for a cluster, as three people at three machines type it; one machine plays all three.

Its addresses are those of loopback here, its ports are free ones. What the page has installed is there already,
``sudo`` asks the PostgreSQL of this test, and ``scp`` copies to another home.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from benchmarks.cluster_parts import postgresql, postgresql_programs
from benchmarks.servers import free_port
from sybil import Example
from tests.docs.reader import ROOT, Reader
from tests.narrowing import not_none

PAGE = ROOT / "docs" / "howto" / "cluster.md"
MACHINES = {"first": "10.0.0.1", "second": "10.0.0.2", "third": "10.0.0.3"}
SHIMS = """
sudo() {{ shift 2; PGHOST=127.0.0.1 PGPORT={port} PGUSER=postgres PGPASSWORD=secret "$@"; }}
scp() {{ cp -rp "${{@: -2:1}}" "{homes}/${{@: -1}}"; }}
"""


class Readers(Reader):
    """One reader for each machine; the first also compares what is shown with what is printed."""

    def __init__(self, homes: dict[str, Path], database: int) -> None:
        super().__init__(homes["first"])
        self.at = {name: self if name == "first" else Reader(home) for name, home in homes.items()}
        server, head = free_port(), free_port()
        self.actual = {
            "10.0.0.1:5000": f"127.0.0.1:{server}",
            "10.0.0.1:6379": f"127.0.0.1:{head}",
            "127.0.0.1:5432": f"127.0.0.1:{database}",
            "--port 5000": f"--port {server}",
            "--port=6379": f"--port={head}",
            **{address: address.replace("10.0.0", "127.0.0") for address in MACHINES.values()},
        }
        folder = homes["first"].parent
        for name, reader in self.at.items():
            (folder / f"{MACHINES[name].replace('10.0.0', '127.0.0')}:").symlink_to(homes[name])
            reader.type(f"export HOME={homes[name]} PATH={postgresql_programs()}:$PATH")
            reader.type(SHIMS.format(port=database, homes=folder))

    def give_commands(self, example: Example) -> None:
        parts = re.split(r"^(\w+)\$ ", example.parsed, flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            self.give(example, text, self.at[name])


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Readers]:
    homes = {name: tmp_path / name for name in MACHINES}
    for home in homes.values():
        home.mkdir()
    with postgresql(tmp_path / "postgresql.log", "postgres", "secret", fsync="off") as (_, address):
        readers = Readers(homes, not_none(urlsplit(address).port))
        yield readers
        for reader in readers.at.values():
            reader.end()
            reader.shell.communicate()


def test_what_the_page_says_to_type_on_three_machines_prints_what_it_shows(readers: Readers) -> None:
    readers.read(PAGE)
