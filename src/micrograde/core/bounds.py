"""Upper bounds on what is read from a store, a server or a file that somebody else may have written.

Each bound lies far above what MLflow or micrograde write themselves, so that no valid content is refused, and
low enough that a hostile store costs no more than seconds and megabytes. ``docs/security.md`` lists them.
"""

# --- one value ----------------------------------------------------------------------------------

LONGEST_ID = 64
"""Characters of a run's id; MLflow's ids have 32."""
LONGEST_KEY = 1_000
"""Characters of the name of a param, metric or tag (MLflow allows 250), and of an experiment (500)."""
LONGEST_VALUE = 20_000
"""Characters of a param (MLflow allows 6,000), and of a tag or a run's name (8,000)."""
LONGEST_ADDRESS = 10_000
"""Characters of the address of a run's files; no file system has paths as long."""
LATEST_TIME = 9_223_372_036_854
"""Milliseconds since 1970; the last time that pandas can represent, in April 2262."""

# --- one run ------------------------------------------------------------------------------------

MOST_PARAMS = 3_000
"""Params of a run, and tags of a run; micrograde records about 60, MLflow's autologging hundreds."""
MOST_METRICS = 20_000
"""Metrics of a run; a network of a hundred layers has two thousand."""
MOST_POINTS = 1_000_000
"""Values that are requested from a server for one metric of a run."""
LONGEST_RECIPE = 2**16
"""Bytes of a recipe; twenty times the length of a real one. YAML is parsed at about 50 KB/s."""
LONGEST_JSON = 2**22
"""Bytes of a checkpoint's JSON; a hundred times the length of a real one, and read in 0.1 s."""
LONGEST_PREPROCESSING = 2**25
"""Bytes of a model's preprocessing file; enough for a table of about a hundred thousand columns."""
LONGEST_NOTE = 2**16
"""Bytes of a small JSON file in the folder of a launch or a claim; a real one has a few hundred."""
LONGEST_EVENT = 2**25
"""Bytes of a line of a journal; the column names of the widest table take a few million."""
GREATEST_PROCESS = 2**31 - 1
"""The largest process id. Ids below 1 are refused, too: they stand for groups of processes."""

# --- a store ------------------------------------------------------------------------------------

MOST_RUNS_OF_STORE = 1_000_000
"""Runs that are read from a SQL store."""
MOST_COLUMNS = 5_000
"""Columns of a table of runs; beyond that, the columns that the fewest runs have are left out."""
MOST_TEXT = 2**28
"""Characters of all params and tags that are read at once; enough for a hundred thousand runs."""
LONGEST_CELL = 2**28
"""Bytes of the longest value that SQLite may load in order to truncate it."""
QUERY_SECONDS = 5.0
"""Processor seconds that a query may take in SQLite, in addition to ``ROW_SECONDS`` for each row."""
ROW_SECONDS = 50e-6
"""Processor seconds for each row of a query; about twenty times what a row takes."""
VAIN_SECONDS = 5.0
"""Seconds spent on sending records of dead launches without success, before the rest is left for later."""

# --- a server -----------------------------------------------------------------------------------

ANSWER_SECONDS = 10.0
"""Seconds for an answer, from the request to its last byte, retries and pauses included."""
SLOW_SECONDS = 2.0
"""Seconds that an answer may take before it counts as slow, plus one for each ``SLOW_BYTES``. What all
answers take beyond that is added up, and may reach ``ANSWER_SECONDS``, too."""
SLOW_BYTES = 500_000
"""Bytes that even a slow server is expected to send in a second."""
LONGEST_ANSWER = 2**25
"""Bytes of an answer, decompressed. Parsed as JSON it takes up to twenty times as much memory."""
LONGEST_FILE = 2**30
"""Bytes of a run's file that is fetched; it may take ``ANSWER_SECONDS``, and one for each ``SLOW_BYTES``."""
MOST_FOLDERS = 100
"""Folders of a run that are listed to find its files; a run of micrograde has five."""
MOST_FILES = 10_000
"""Files and folders that those may contain altogether."""
MOST_RUNS_OF_SERVER = 50_000
"""Runs that are requested from a server; an honest one takes some minutes for them."""
MOST_EXPERIMENTS = 10_000
"""Experiments that are requested from a server."""
SPARE_PAGES = 20
"""Pages of a listing that may be less than half full, before its pages are taken for endless."""
MOST_REDIRECTS = 3
"""Redirects that are followed for one request."""
