"""Features that change over time have a time-series key and are looked up as of a point in time.

Why:
    A model must be trained on what was known at the time of each label. A look-up by key alone takes the newest value, so
    that training sees the future, and the model is worse in production than its metrics promised.

Fix:
    Declare the time column as part of the key, and name it in the look-up.

        ALTER TABLE prod.ml.features ADD CONSTRAINT features_pk PRIMARY KEY (customer_id, ts TIMESERIES);
        FeatureLookup(table_name="prod.ml.features", lookup_key="customer_id", timestamp_lookup_key="ts")

Exceptions:
    Tests. Static attributes, which have neither. Look-ups with a `lookback_window`, which are made as of a time. Features whose
    only time is that of the label.

References:
    https://docs.databricks.com/aws/en/machine-learning/feature-store/uc/feature-tables-uc
    https://docs.databricks.com/aws/en/machine-learning/feature-store/time-series
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

# `catalog_table = ''` is never true, and NULL where it is not known which table is looked up: an empty list says nothing then.
rule = Rule(
    code="DAT004",
    name="point-in-time-lookup",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    subject="feature_lookups",
    query="""
        SELECT l.*, NOT f.is_test AS applies,
               NOT l.by_time OR l.catalog_table = '' OR (
                   SELECT any_of(k.is_timeseries)
                   FROM table_keys k WHERE k.plane = l.plane AND k.catalog_table = l.catalog_table) AS has_time_key,
               l.by_time OR NOT (l.catalog_table = '' OR (
                   SELECT any_of(k.is_timeseries)
                   FROM table_keys k WHERE k.plane = l.plane AND k.catalog_table = l.catalog_table)) AS looked_up_by_time
        FROM feature_lookups l LEFT JOIN files f ON f.plane = l.plane AND f.key = l.file
    """,
    message={
        "has_time_key": "features of {catalog_table} are looked up by time, but its key has no TIMESERIES column: declare one",
        "looked_up_by_time": "{catalog_table} has a time-series key, but is looked up without timestamp_lookup_key: training sees the future",
    },
)
