"""One target under Atheris, in a process of its own: ``python -m fuzz.one csv 60 folder [input]``.

Fuzzes for so many seconds, or tries the one input. libFuzzer keeps what it finds interesting in
``folder/corpus``. At the first finding (an exception, a crash, more than 10 s, too much memory) it ends with
an error, and the input is in ``folder/findings``.
"""

import logging
import signal
import sys
import warnings
from pathlib import Path

import atheris

_TIMEOUT = 10  # seconds that one input may take
_WATCHED = [
    "micrograde",
    "numpy.lib._format_impl",
    "numpy.lib.format",
    "zipfile",
    "gzip",
    "pandas.io.parsers",
]


def main(name: str, seconds: str, folder: Path, one_input: str | None = None) -> None:
    """Fuzz; does not return."""
    with atheris.instrument_imports(include=_WATCHED):
        from fuzz.target import LONGEST_INPUT, MEMORY_LIMIT, check_memory, pretend_small_machine
        from fuzz.targets import TARGETS

    target = TARGETS[name]
    pretend_small_machine()
    # As in the tests: a number that goes wrong without being looked at is a mistake.
    warnings.simplefilter("ignore")
    warnings.filterwarnings("error", category=RuntimeWarning, module="micrograde")
    logging.disable()

    corpus, findings, scratch = folder / "corpus", folder / "findings", folder / "scratch"
    for each in (corpus, findings, scratch):
        each.mkdir(parents=True, exist_ok=True)
    seeds = target.seeds()
    for index, seed in enumerate(seeds):
        (corpus / f"seed-{index:03}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))

    def test_one_input(content: bytes) -> None:
        target.try_out(scratch, content)
        check_memory()

    for index, bomb in enumerate(target.bombs() if one_input is None else ()):
        kept = findings / f"bomb-{index:03}"
        kept.write_bytes(bomb)  # for as long as it is not known to be harmless
        signal.alarm(_TIMEOUT)  # ends the process
        test_one_input(bomb)
        signal.alarm(0)
        kept.unlink()

    options = [
        f"-timeout={_TIMEOUT}",
        f"-rss_limit_mb={MEMORY_LIMIT >> 20}",
        f"-max_len={max([LONGEST_INPUT, *(2 * len(seed) for seed in seeds)])}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    ]
    if one_input is None:
        options += [f"-max_total_time={seconds}", str(corpus)]
        if target.words:
            options.append(f"-dict={words}")
    else:
        options.append(one_input)
    atheris.Setup([sys.argv[0], *options], test_one_input)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
