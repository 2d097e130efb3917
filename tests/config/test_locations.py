"""Where records can be looked at: what is said opens the store that they are in, and shows no password."""

from micrograde.config.locations import where_to_look


def test_what_is_said_opens_the_store_that_the_records_are_in():
    assert where_to_look("sqlite:////x/mlflow.db") == "look        make ui, or make compare"
    assert where_to_look("http://ann:se%40cret@host:5000", "sweep=latest") == (
        "look        http://host:5000, or "
        'make compare ARGS="tracking=server tracking.uri=http://host:5000 sweep=latest"'
    )
