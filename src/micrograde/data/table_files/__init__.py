from micrograde.data.raw_table import RawTable, ReadingOptions


def read_table(path: str, options: ReadingOptions, *, target: str | None, source: str) -> RawTable:
    import pandas as pd
    import pyarrow as pa

    d = pd.read_csv(path, dtype="str", keep_default_na=False, sep=options.separator or ",")
    return RawTable(pa.table({c: pa.array(d[c].tolist(), pa.large_string()) for c in d}))
