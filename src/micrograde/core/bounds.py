"""How much a store, a server or a file of somebody else's may say before it is not believed any more.

Each bound lies far above what MLflow or micrograde write themselves, so that nothing sound is refused, and
low enough that a hostile store costs seconds and megabytes. ``docs/security.md`` lists them.
"""

# --- one value ----------------------------------------------------------------------------------

LONGEST_ID = 64
"""Characters of a run's id; MLflow's have 32."""
LONGEST_KEY = 1_000
"""Characters of the name of a param, metric or tag, and of an experiment; MLflow takes 250, and 500."""
LONGEST_VALUE = 20_000
"""Characters of a param, a tag or a run's name; MLflow takes 6,000 and 8,000."""
LONGEST_ADDRESS = 10_000
"""Characters of the address of files; no file system has a path as long."""
LATEST_TIME = 9_223_372_036_854
"""Milliseconds since 1970; a date of pandas ends there, in April 2262."""

# --- one run ------------------------------------------------------------------------------------

MOST_PARAMS = 3_000
"""Params of a run, and tags; micrograde tells some 60, MLflow's autologging hundreds."""
MOST_METRICS = 20_000
"""Metrics of a run; a network of a hundred layers has two thousand."""
MOST_POINTS = 1_000_000
"""Values of one metric of a run that a server is asked for."""
LONGEST_RECIPE = 2**16
"""Bytes of a recipe; twenty times what there is. YAML is read at some 50 KB/s."""
LONGEST_JSON = 2**22
"""Bytes of a checkpoint's JSON; a hundred times what there is, and read in 0.1 s."""
LONGEST_PREPROCESSING = 2**25
"""Bytes of a model's preprocessing: that of a table with some hundred thousand columns."""
LONGEST_NOTE = 2**16
"""Bytes of a small JSON file in the folder of a launch or a claim, which have some hundred."""
LONGEST_EVENT = 2**25
"""Bytes of a line of a journal; the columns of the widest table take some million."""
GREATEST_PROCESS = 2**31 - 1
"""The number of a process; zero and what lies below means whole groups of them."""

# --- a store ------------------------------------------------------------------------------------

MOST_RUNS_OF_STORE = 1_000_000
"""Runs that are read of a SQL store."""
MOST_COLUMNS = 5_000
"""Columns of a table of runs; those that fewest runs have are left out."""
MOST_TEXT = 2**28
"""Characters of all params and tags that are read at once: those of a hundred thousand runs."""
LONGEST_CELL = 2**28
"""Bytes that SQLite may hold for one value that it is to cut."""
QUERY_SECONDS = 5.0
"""Processor seconds that SQLite may take beside those that a query's rows take, at ``ROW_SECONDS`` each."""
ROW_SECONDS = 50e-6
"""Some twenty times what a row takes."""
VAIN_SECONDS = 5.0
"""Seconds for sending what dead launches have left, if nothing comes of it; then the rest stays."""

# --- a server -----------------------------------------------------------------------------------

ANSWER_SECONDS = 10.0
"""Seconds for an answer, from the request to its last byte, tries and pauses included."""
SLOW_SECONDS = 2.0
"""From this on the seconds of all answers are counted, and end with ``ANSWER_SECONDS`` as well; and
``SLOW_BYTES`` may come in each of them."""
SLOW_BYTES = 500_000
LONGEST_ANSWER = 2**25
"""Bytes of an answer, unpacked. As JSON it takes up to twenty times as much memory."""
LONGEST_FILE = 2**30
"""Bytes of a file of a run that is fetched, in ``ANSWER_SECONDS`` and one for each ``SLOW_BYTES``."""
MOST_FOLDERS = 100
"""Folders of a run that are looked through for its files; there are five."""
MOST_FILES = 10_000
"""Files, and folders, that a run is believed to have in those."""
MOST_RUNS_OF_SERVER = 50_000
"""Runs that a server is asked for: some minutes of an honest one."""
MOST_EXPERIMENTS = 10_000
SPARE_PAGES = 20
"""Pages that may be less than half full."""
MOST_REDIRECTS = 3
