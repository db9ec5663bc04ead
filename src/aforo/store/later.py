"""What a statement may be told to be in no hurry with."""

from __future__ import annotations

LATER = "aforo_later"
"""The option of a statement that gives no rows and whose count nobody asks for.

Where it is true, what is wrong with the statement may be raised by a later one of its transaction, or by its
end: PostgreSQL is sent it without waiting for the answer.
"""
