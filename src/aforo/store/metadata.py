"""What all tables of the schema share: the metadata with its names of constraints, and closed sets."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import CheckConstraint, MetaData

ACTOR_LENGTH, ADDRESS_LENGTH, SUBJECT_LENGTH, DETAIL_LENGTH = 300, 64, 300, 1000
"""Characters of the audit's texts; longer ones are cut."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A CHECK that a column holds a word of a closed set."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)
