"""Which messages may be given out: of each group the first, unless somebody has one of it in hand.

One that was in hand goes before those older than it: a transaction that is slow to commit may show a message
after a later one of its group was given out.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select, text

from aforo.store.bus_tables import bus_messages

WINDOW = 200
"""Of how many of the oldest it is looked at first whether they may be given out."""

_other = bus_messages.alias("other")
_of_the_group = (
    _other.c.queue == bus_messages.c.queue,
    _other.c.group_id == bus_messages.c.group_id,
    _other.c.id != bus_messages.c.id,
)
# Two questions, each with an index of its own: as one they would read the whole group.
_in_hand = select(1).where(*_of_the_group, _other.c.receipt.is_not(None)).exists()
_earlier = (
    select(1).where(*_of_the_group, _other.c.buried_at.is_(None), _other.c.id < bus_messages.c.id).exists()
)
_kept_back = _in_hand | (bus_messages.c.receipt.is_(None) & _earlier)
_waits = (
    bus_messages.c.queue == bindparam("queue"),
    bus_messages.c.buried_at.is_(None),
    bus_messages.c.visible_at <= bindparam("now"),
)
_window = select(bus_messages.c.id).where(*_waits).order_by(bus_messages.c.id).limit(WINDOW).subquery()

# The oldest; however long the queue is, no more of it is looked at than the window.
OLDEST = (
    select(bus_messages.c.id)
    .join(_window, _window.c.id == bus_messages.c.id)
    .where(~_kept_back)
    .order_by(bus_messages.c.id)
    .limit(bindparam("most"))
)

# Where all in the window are kept back: the first of any groups, by going from name to name in the index.
OF_ANY_GROUP = text("""
    WITH RECURSIVE names(name) AS (
        SELECT min(group_id) FROM bus_messages WHERE queue = :queue AND buried_at IS NULL
        UNION ALL
        SELECT (
            SELECT min(group_id) FROM bus_messages
            WHERE queue = :queue AND buried_at IS NULL AND group_id > name
        ) FROM names WHERE name IS NOT NULL
    )
    SELECT bus_messages.id FROM names JOIN bus_messages ON bus_messages.id = coalesce(
        (SELECT id FROM bus_messages WHERE queue = :queue AND group_id = name AND receipt IS NOT NULL),
        (SELECT min(id) FROM bus_messages WHERE queue = :queue AND buried_at IS NULL AND group_id = name)
    )
    WHERE visible_at <= :now LIMIT :most
""")

# Those of the found that nobody else has taken, or is about to, since they were found.
LOCK = (
    select(bus_messages.c.id)
    .where(bus_messages.c.id.in_(bindparam("ids", expanding=True)), *_waits, ~_kept_back)
    .with_for_update(skip_locked=True)
)
