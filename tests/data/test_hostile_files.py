"""Files that somebody made in order to harm: to run code, to take all memory, to write on the terminal."""

import bz2
import gzip
import io
import lzma
import pickle
import tracemalloc
import zipfile
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from micrograde.core.errors import InputError
from micrograde.data import load_dataset, memory, unpacking
from micrograde.data.parquet_pages import page_sizes

MIB = 2**20


@pytest.fixture
def small_machine(monkeypatch):
    """256 MiB, of which a data set may take 32."""
    monkeypatch.setattr(memory, "physical_memory", lambda: 256 * MIB)


@pytest.fixture
def refusal(tmp_path):
    """The line by which a file is refused."""

    def line(kind, name, content, **options):
        path = tmp_path / name
        path.write_bytes(content)
        if kind == "idx":
            options = {"images": str(path), "labels": str(path), **options}
        else:
            options = {"path": str(path), **({} if kind == "npz" else {"target": "kind"}), **options}
        with pytest.raises(InputError) as caught:
            load_dataset(kind, seed=0, **options)
        message = str(caught.value).replace(str(tmp_path), "")
        assert message.isprintable()
        assert len(message) < 500
        return message

    return line


# --- code ---


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


@pytest.fixture
def marker(tmp_path):
    """A file that must not appear, though it would."""
    path = tmp_path / "marker"
    pickle.loads(pickle.dumps(Bomb(path))).close()  # noqa: S301 - to see that it would
    path.unlink()
    yield path
    assert not path.exists()


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("place", ["features", "labels"])
def test_objects_in_an_npz_are_not_unpickled(refusal, marker, place):
    arrays = {"features": np.eye(2), "labels": np.array([0, 1])}
    objects = np.empty(2, dtype=object)
    objects[:] = [Bomb(marker), 1]
    members = {f"{name}.npy": npy(array) for name, array in {**arrays, place: objects}.items()}
    assert "that can run any code" in refusal("npz", "x.npz", archive(**members))


def test_objects_in_a_npy_are_not_unpickled(refusal, marker):
    objects = np.empty(1, dtype=object)
    objects[0] = Bomb(marker)
    assert "holds a single array" in refusal("npz", "x.npz", npy(objects))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("csv", "x.csv"),
        ("csv", "x.pkl"),
        ("csv", "x.csv.gz"),
        ("csv", "x.csv.bz2"),
        ("csv", "x.csv.xz"),
        ("csv", "x.csv.zst"),
        ("csv", "x.csv.zip"),
        ("csv", "x.csv.tar.gz"),
        ("parquet", "x.parquet"),
        ("npz", "x.npz"),
        ("npz", "x.npy"),
        ("idx", "x-idx3-ubyte"),
        ("idx", "x-idx3-ubyte.gz"),
    ],
)
def test_a_pickle_by_another_name_is_not_unpickled(refusal, marker, kind, name):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        refusal(kind, name, pickle.dumps(Bomb(marker), protocol))


def test_a_pickled_member_of_an_archive_is_not_unpickled(refusal, marker):
    content = archive(**{"features.npy": pickle.dumps(Bomb(marker)), "labels.npy": b""})
    assert "data.features=features: cannot be read from the file" in refusal("npz", "x.npz", content)


# --- names ---


def test_names_in_an_archive_lead_nowhere(refusal, tmp_path):
    table = b"x,kind\n1,a\n2,b\n"
    path = tmp_path / "inner" / "x.csv.zip"
    path.parent.mkdir()
    path.write_bytes(archive(**{"../../outside.csv": table}))
    assert len(load_dataset("csv", seed=0, path=str(path), target="kind")) == 2
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["x.csv.zip"]

    message = refusal("npz", "x.npz", archive(**{"../features.npy": npy(np.eye(2))}))
    assert message == "data.features=features: there is no such array; the arrays are '../features'"


def test_an_archive_of_two_tables(refusal):
    content = archive(**{"a.csv": b"x,kind\n1,a\n", "b.csv": b"x,kind\n2,b\n"})
    assert "the archive holds 2 files; needs one, the table" in refusal("csv", "x.csv.zip", content)


NAMES = {
    "an escape sequence": "\x1b[2J",
    "a line end": "a\nb",
    "a NUL": "a\0b",
    "a change of direction": "\u202ea",
    "very many letters": "n" * 100_000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_in_a_file_do_not_reach_the_terminal_as_they_are(refusal, name):
    column = pd.DataFrame({name: ["", "1"], "kind": ["a", "b"]}).to_csv(index=False).encode()
    said = ("missing values", "no such column", "every row is of class")
    assert said[0] in refusal("csv", "x.csv", column, missing="error", header=True)
    assert said[1] in refusal("csv", "x.csv", column, target="other", header=True)
    label = pd.DataFrame({"x": [1, 2], "kind": [name, name]}).to_csv(index=False).encode()
    assert said[2] in refusal("csv", "x.csv", label, header=True)
    if name.isascii():
        assert "no such array" in refusal("npz", "x.npz", archive(**{"m" * 60_000: b"", name[:9]: b""}))


def test_strings_that_are_no_unicode(refusal):
    for point in (0x110000, 0xFFFFFFFF, 0xD800):
        labels = np.array([point, 65], np.uint32).view("<U1")
        members = {"features.npy": npy(np.eye(2)), "labels.npy": npy(labels)}
        assert "do not exist in Unicode" in refusal("npz", "x.npz", archive(**members))


# --- sizes ---


def test_a_table_of_nothing_but_a_header(refusal):
    assert "has columns but no rows" in refusal("csv", "x.csv", b"x,kind")


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".bz2", lambda text: bz2.compress(text, 1)),
        (".xz", lambda text: lzma.compress(text, preset=0)),
        (".zst", lambda text: pa.compress(text, "zstd", asbytes=True)),
        (".zip", lambda text: archive(table=text)),
    ],
)
@pytest.mark.parametrize("filling", [b"x", b","])
def test_a_table_that_is_too_large_when_unpacked(refusal, ending, pack, filling):
    content = pack(b"x,kind\n" + filling * (34 * MIB // len(filling)))
    message = refusal("csv", f"x.csv{ending}", content)
    assert "a data set may take 32 MiB, an eighth of this machine's memory" in message


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize("row", [b"1\n", b"1\r", b"1\r\n"])
def test_a_table_of_very_many_rows(refusal, row):
    message = refusal("csv", "x.csv", b"x,kind\n" + row * (5 * MIB))
    assert "a data set may take 32 MiB, an eighth of this machine's memory" in message


@pytest.mark.usefixtures("small_machine")
def test_short_rows_of_a_wide_table(refusal):
    columns = ",".join(f"c{index}" for index in range(5000))
    header, row = f"{columns},kind\n".encode(), b"1," * 5000 + b"a\n"
    said = refusal("csv", "x.csv", header + b"1\n" * 10_000)
    assert "the header has 5001 names, but the rows have 1 value" in said
    assert "10021 rows of 5001 features" in refusal("csv", "x.csv", header + row * 20 + b"1\n" * 10_000)


def test_a_million_columns(refusal):
    row = b",".join(b"%d" % index for index in range(10**6))
    assert "has 1000000 columns, more than 100000" in refusal("csv", "x.csv", row + b"\n" + row)


def test_a_million_columns_behind_a_name_with_a_line_end(refusal):
    row = b'"\n"' + b",x" * 10**6
    for start in (b"", b"\xef\xbb\xbf", b" \n\n"):
        assert "columns, more than 100000" in refusal("csv", "x.csv", start + row + b"\n" + row)


@pytest.mark.usefixtures("small_machine")
def test_a_column_of_very_many_categories(refusal):
    table = pd.DataFrame({"id": [f"row {index}" for index in range(3000)], "kind": [0, 1] * 1500})
    text = table.to_csv(index=False).encode()
    assert "nothing is left to learn from: 'id' is identifier" in refusal("csv", "x.csv", text)
    message = refusal("csv", "x.csv", text, keep=["id"], max_categories=5000)
    assert "3000 rows of 3000 features would take 69 MiB" in message
    assert message.endswith("'id' alone becomes 3000 of them; data.drop leaves it out")


@pytest.mark.usefixtures("small_machine")
def test_very_many_classes(refusal):
    table = pd.DataFrame({"x": np.arange(3000) / 7, "kind": range(3000)})
    message = refusal("csv", "x.csv", table.to_csv(index=False).encode(), roles={"kind": "category"})
    assert "3000 rows of 1 features and 3000 classes would take 69 MiB" in message


@pytest.mark.usefixtures("small_machine")
def test_one_label_much_longer_than_the_others(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(f"x,kind\n1,{'a' * MIB}\n" + "2,b\n" * 100_000)
    dataset = load_dataset("csv", seed=0, path=str(path), target="kind")
    assert [len(name) for name in dataset.class_names] == [MIB, 1]


def test_numbers_of_very_many_digits(refusal):
    digits = "9" * 400
    for large in (digits, "1e999"):
        text = f"x,kind\n{large},a\n1,b\n2,a\n".encode()
        assert "missing values in 'x' (1)" in refusal("csv", "x.csv", text, missing="error", header=True)
    assert "missing values" in refusal("csv", "x.csv", f"x,kind\n1,{digits}\n,1\n".encode(), missing="error")


def test_a_table_with_nul_bytes(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"x,c,kind\n1,a\0b,u\n2,a,v\n")
    dataset = load_dataset("csv", seed=0, path=str(path), target="kind")
    assert dataset.feature_names == ("x", "c=a", "c=a\0b")


LYING = b"{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"


@pytest.mark.parametrize(
    "shape", [b"1000000000000,", b"0, 1000000000000", b"1, 1000000000", b"-1,", b"True,"]
)
@pytest.mark.parametrize("dtype", [b"<f8", b"<U0", b"|V0", b"<U100000000", b"|O"])
def test_an_array_whose_header_lies(refusal, dtype, shape):
    header = LYING % (dtype, shape)
    array = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header
    refusal("npz", "x.npz", archive(**{"features.npy": array, "labels.npy": npy(np.array([0, 1]))}))
    refusal("npz", "x.npz", archive(**{"features.npy": npy(np.eye(2)), "labels.npy": array}))


@pytest.mark.usefixtures("small_machine")
def test_an_array_that_is_too_large_when_unpacked(refusal):
    labels = npy(np.array([0, 1]))
    content = archive(**{"features.npy": npy(np.zeros((2, 10**7), np.uint8)), "labels.npy": labels})
    assert "2 rows of 10000000 features would take 1.3 GiB" in refusal("npz", "x.npz", content)
    header = b"\x93NUMPY\2\0" + (2**26).to_bytes(4, "little") + bytes(2**26)
    content = archive(**{"features.npy": header, "labels.npy": labels})
    assert "the array takes 64 MiB or more" in refusal("npz", "x.npz", content)


@pytest.mark.filterwarnings("ignore:Reading:UserWarning")
def test_headers_that_numpy_stumbles_over(refusal):
    for header in (b"(" * 9000, b"{[]: 1}", b"{'descr': '''", b"1L", b"{" * 200 + b"}" * 200, b"\xff\xff"):
        array = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header
        message = refusal("npz", "x.npz", archive(**{"features.npy": array, "labels.npy": b""}))
        assert message.startswith("data.features=features: cannot be read from the file")


@pytest.mark.usefixtures("small_machine")
def test_images_that_are_too_large_when_unpacked(refusal, tmp_path):
    labels = tmp_path / "labels"
    labels.write_bytes(b"\0\0\x08\1\0\0\0\2\0\1")
    for side in (4096, 1024):
        header = b"\0\0\x08\3" + (2).to_bytes(4, "big") + side.to_bytes(4, "big") * 2
        content = gzip.compress(header + bytes(2 * side * side), 1)
        message = refusal("idx", "images.gz", content, labels=str(labels))
        assert f"2 rows of {side * side} features would take" in message


def test_images_of_very_many_dimensions(refusal):
    for sizes in ([1] * 255, [2**32 - 1] * 255, [0, *[2**32 - 1] * 9], [0, 2**32 - 1, 2**32 - 1, 2**32 - 1]):
        header = b"\0\0\x08" + bytes([len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)
        assert "has the shape" in refusal("idx", "images", header)


@pytest.mark.usefixtures("small_machine")
def test_a_text_that_very_many_rows_of_a_parquet_table_have(tmp_path):
    codes = np.arange(100_000, dtype=np.int32) % 2
    texts = pa.DictionaryArray.from_arrays(codes, ["y" * MIB, "z"])
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": texts, "kind": codes}), path, compression="zstd", store_schema=False)
    dataset = load_dataset("parquet", seed=0, path=str(path), target="kind")
    assert dataset.features.shape == (100_000, 2)


@pytest.mark.usefixtures("small_machine")
def test_a_parquet_table_that_is_too_large(refusal):
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": np.zeros(2**22), "kind": np.zeros(2**22)}), buffer)
    assert "4194304 rows of 2 features would take 64 MiB" in refusal(
        "parquet", "x.parquet", buffer.getvalue()
    )


def test_a_parquet_text_that_is_no_utf_8(refusal):
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": ["\xe9", "b"], "kind": [0, 1]}), buffer, compression="none")
    content = buffer.getvalue().replace("\xe9".encode(), b"\xff\xff")
    assert "Invalid UTF8" in refusal("parquet", "x.parquet", content)


# --- what unpacks without end ---

PACKERS: dict[str, Any] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": lambda text: bz2.compress(text, 1),
    ".xz": lambda text: lzma.compress(text, preset=0),
    ".zst": lambda text: pa.compress(text, "zstd", asbytes=True),
    ".zip": lambda text: archive(table=text),
}


@contextmanager
def little_memory(most):
    """What is within takes no more bytes at a time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("filling", [b"x", b"\0", b",", b'"'])
def test_a_line_without_end(refusal, ending, filling):
    content = PACKERS[ending](filling * (40 * MIB))
    with little_memory(3 * len(content) + 40 * MIB):
        message = refusal("csv", f"x.csv{ending}", content)
    assert message.endswith("is no CSV table: its line 1 does not end within 16 MiB")


def test_a_later_line_without_end(refusal):
    message = refusal("csv", "x.csv.zst", PACKERS[".zst"](b"x,kind\n1,a\r\n" + b"x" * (70 * MIB)))
    assert message.endswith("is no CSV table: its line 3 does not end within 64 MiB")


def test_a_sparse_file_of_8_gigabytes(tmp_path):
    for name, options in READERS_OF_FILES.items():
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(8 * 2**30)
        keys: dict[str, Any] = {key: str(path) if value is None else value for key, value in options.items()}
        with little_memory(40 * MIB), pytest.raises(InputError) as caught:
            load_dataset(seed=0, **keys)
        assert len(str(caught.value)) < 500


READERS_OF_FILES = {
    "x.csv": {"name": "csv", "path": None, "target": "kind"},
    "x.csv.gz": {"name": "csv", "path": None, "target": "kind"},
    "x.csv.zip": {"name": "csv", "path": None, "target": "kind"},
    "x.parquet": {"name": "parquet", "path": None, "target": "kind"},
    "x.npz": {"name": "npz", "path": None},
    "x-idx": {"name": "idx", "images": None, "labels": None},
}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("name", ["x.csv", "features.npy"])
def test_what_zipfile_would_unpack_at_once(refusal, method, name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr(name, b"x,kind\n" + bytes(8 * MIB))
    with little_memory(8 * MIB):
        if name == "x.csv":
            message = refusal("csv", "x.csv.zip", buffer.getvalue())
            assert message.endswith("it is packed in another way than deflate; pack it again")
        else:
            assert "in another way than deflate" in refusal("npz", "x.npz", buffer.getvalue())


def test_an_array_that_unpacks_to_more_than_its_archive_says(refusal):
    array = npy(np.zeros(2)) + bytes(64 * MIB)
    content = archive(**{"features.npy": array, "labels.npy": npy(np.zeros(2))})
    for size in (len(array), 1000):
        lying = content.replace(len(array).to_bytes(4, "little"), size.to_bytes(4, "little"))
        with little_memory(16 * MIB):
            refusal("npz", "x.npz", lying)


def test_an_archive_of_very_many_files(refusal, monkeypatch):
    monkeypatch.setattr(unpacking, "_LONGEST_INDEX", 2**16)
    content = archive(**{f"{number}.npy": b"" for number in range(2000)})
    assert "its list of files is too long" in refusal("npz", "x.npz", content)
    assert "its list of files is too long" in refusal("csv", "x.csv.zip", content)


def test_an_archive_in_an_archive_is_no_table(refusal):
    inner = archive(**{"x.csv": b"x,kind\n1,a\n2,b\n"})
    refusal("csv", "x.csv.zip", archive(**{"x.csv.zip": inner}))
    refusal("csv", "x.csv.gz", gzip.compress(gzip.compress(b"x,kind\n1,a\n2,b\n")))


@pytest.mark.parametrize("ending", [ending for ending in PACKERS if ending])
def test_what_is_cut_short(refusal, ending):
    content = PACKERS[ending](b"x,kind\n" + b"".join(b"%d,a\n%d,b\n" % (n, n) for n in range(500)))
    for length in (0, 1, 5, len(content) // 2, len(content) - 1):
        if length or ending != ".gz":
            refusal("csv", f"x.csv{ending}", content[:length])


@pytest.mark.usefixtures("small_machine")
def test_a_parquet_page_that_is_larger_than_the_footer_says(refusal):
    buffer = io.BytesIO()
    table = pa.table({"x": ["y" * (34 * MIB), "z"], "kind": ["a", "b"]})
    pq.write_table(table, buffer, compression="zstd", write_statistics=False)
    content, column = buffer.getvalue(), pq.read_metadata(buffer).row_group(0).column(0)
    assert len(content) < MIB
    for size in (column.total_uncompressed_size, pq.read_metadata(buffer).row_group(0).total_byte_size):
        assert varint(2 * size) in content
        content = content.replace(varint(2 * size), varint(2 * MIB + 2))
    assert pq.read_metadata(io.BytesIO(content)).row_group(0).total_byte_size < 3 * MIB
    assert "the table, unpacked, takes 34 MiB or more" in refusal("parquet", "x.parquet", content)


def varint(number):
    """As Thrift writes it."""
    low, high = number & 127, number >> 7
    return bytes([low]) if not high else bytes([low | 128]) + varint(high)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_the_sizes_of_parquet_pages_are_those_of_the_footer(tmp_path, version, compression):
    numbers = np.arange(3000)
    table = pa.table(
        {
            "number": numbers / 3,
            "text": [f"row {number}" for number in numbers],
            "class": pa.array(["a", "b", None] * 1000).dictionary_encode(),
            "truth": numbers % 2 == 0,
            "none": pa.array([None] * 3000, pa.float64()),
        }
    )
    path = tmp_path / "x.parquet"
    for statistics in (True, False):
        pq.write_table(
            table,
            path,
            compression=compression,
            data_page_version=version,
            data_page_size=2000,
            row_group_size=700,
            write_statistics=statistics,
            write_page_checksum=statistics,
        )
        metadata = pq.read_metadata(path)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        told = sum(group.total_byte_size for group in groups)  # of headers, too
        assert 0.5 * told < page_sizes(path).total < told


@pytest.mark.usefixtures("small_machine")
def test_parquet_texts_that_repeat_the_one_before(refusal, tmp_path):
    options = {"use_dictionary": False, "column_encoding": {"x": "DELTA_BYTE_ARRAY"}, "compression": "zstd"}
    buffer = io.BytesIO()
    table = pa.table({"x": ["y" * 100_000] * 3000, "kind": [0, 1] * 1500})
    pq.write_table(table, buffer, **options, write_statistics=False)
    assert len(buffer.getvalue()) < MIB
    message = refusal("parquet", "x.parquet", buffer.getvalue())
    assert "the table, unpacked, takes 64 MiB or more" in message
    table = pa.table({"x": [f"row {number // 10}" for number in range(3000)], "kind": [0, 1] * 1500})
    pq.write_table(table, tmp_path / "plain.parquet")
    pq.write_table(table, tmp_path / "delta.parquet", **options, row_group_size=700)
    read = [
        load_dataset("parquet", seed=0, path=str(tmp_path / name), target="kind")
        for name in ("plain.parquet", "delta.parquet")
    ]
    assert read[0].digest == read[1].digest


@pytest.mark.parametrize("place", range(12))
def test_a_parquet_footer_that_contradicts_itself_is_a_line(tmp_path, place):
    """pyarrow ends the process where it is asked for a column whose statistics do not fit its schema."""
    path = tmp_path / "t.parquet"
    table = pa.table({"x": [1.5, 2.0, None], "kind": ["a", "b", "a"]})
    pq.write_table(table, path, compression="none", store_schema=False)
    content = bytearray(path.read_bytes())
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    start = content.index(b"schema", footer) + len(b"schema")
    content[start + place] ^= 1
    path.write_bytes(content)
    with suppress(InputError):
        load_dataset("parquet", seed=0, path=str(path), target="kind", missing="drop")
