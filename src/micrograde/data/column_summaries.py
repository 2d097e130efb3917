"""What is said of each column of a table, once its role is known."""

from collections.abc import Sequence

import numpy as np

from micrograde.data.table_summary import ColumnSummary
from micrograde.data.targets import Target
from micrograde.data.used_rows import UsedRows, count_rows


def column_summaries(
    names: Sequence[str], targets: Sequence[str], learned: Target, used: UsedRows
) -> list[ColumnSummary]:
    """Return a summary of each column, in the order of ``names``."""
    found = []
    for name in names:
        if name in targets:
            missing = int((learned.labels < 0).sum())
            different, said = len(learned.names), "the classes"
            if learned.numbers is not None:
                numbers = learned.numbers[:, targets.index(name)]
                missing = int(np.isnan(numbers).sum())
                different = len(np.unique(numbers)) - bool(missing)
                said = "yes or no, a label" if learned.are_truths else "the numbers to be predicted"
            found.append(ColumnSummary(name, "target", missing, 0, (), different, 0, said))
            continue
        role, column = used.roles[name], used.columns[name]
        encoded = used.found.get(name)
        unreadable = count_rows(encoded.unreadable) if encoded else 0
        missing = (
            count_rows(encoded.missing) - unreadable
            if encoded
            else count_rows(column.is_missing(frozenset()))
        )
        odd = role.read_as_missing(column) if column.is_text and encoded and missing + unreadable else ()
        unreadable, missing = (
            unreadable + sum(count for _, count in odd),
            missing - sum(count for _, count in odd),
        )
        found.append(
            ColumnSummary(
                name,
                role.name,
                missing,
                unreadable,
                odd,
                column.different,
                len(role.features(name)),
                role.described(),
            )
        )
    return found
