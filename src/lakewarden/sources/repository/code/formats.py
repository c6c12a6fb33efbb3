"""Names of data formats: the class of Spark that reads one is another word for it."""

from __future__ import annotations

#: Packages whose classes read and write the formats of the lake.
_PACKAGES = ("org.apache.spark.sql.", "com.databricks.spark.", "io.delta.")
_OF_CLASSES = frozenset({"parquet", "csv", "json", "orc", "avro", "text", "xml", "delta", "jdbc", "hive"})


def format_of(name: str) -> str:
    """A format in the word that rules know: `org.apache.spark.sql.parquet` is `parquet`; any other as it is, in lower case."""
    lower = name.replace("`", "").strip().lower()
    if not lower.startswith(_PACKAGES):
        return lower
    parts = "".join(lower.split()).split(".")
    return next((part for part in reversed(parts) if part in _OF_CLASSES), lower)


def is_class(name: str) -> bool:
    """Is it the class of a format, and no table?"""
    return name.lower().startswith(_PACKAGES)
