-- Kept events that have one of these names. All of a time are searched, and not by tenant: what is
-- written of one time stands together.
SELECT rowid FROM "events_readings" WHERE time BETWEEN $earliest AND $latest AND untimed = $untimed AND time IN (SELECT unnest($times));
-- earliest = 2013-03-09 17:00:00
-- latest = 2013-03-09 17:00:00
-- untimed = False
-- times = [datetime.datetime(2013, 3, 9, 17, 0)]

-- Kept events that have one of these names. All of a time are searched, and not by tenant: what is
-- written of one time stands together.
SELECT tenant, id, time FROM "events_readings" WHERE time BETWEEN $earliest AND $latest AND untimed = $untimed AND id IN (SELECT unnest($ids));
-- earliest = 2013-03-08 17:00:00
-- latest = 2013-03-10 17:00:00
-- untimed = True
-- ids = ['2']

-- The number of the last durable append.
SELECT coalesce(max("commit"), 0) FROM commits;

-- The rows of slots that are over in which commits still stand apart, put together.
SELECT tenant, start, stream, reason, sum(events)::BIGINT AS events, sum(bytes)::BIGINT AS bytes,
    0::BIGINT AS "commit"
FROM outcomes WHERE start IN (SELECT start FROM outcomes WHERE "commit" > 0 AND start <> $slot)
GROUP BY ALL ORDER BY start, tenant, stream, reason;
-- slot = 2013-03-09 17:00:00

SELECT count(*) FROM "entity_probe";

-- The number that each tenant's next probe gets.
SELECT tenant, max(next) AS next FROM (
    SELECT tenant, max(ordinal)::BIGINT + 1 AS next FROM "entity_probe" GROUP BY tenant
    UNION ALL
    SELECT tenant, next FROM numbers_given WHERE entity = $entity
) GROUP BY tenant;
-- entity = probe

SELECT fingerprint FROM hash_key;

SELECT tenant, value, ordinal FROM "entity_probe";

INSERT INTO "entity_probe" SELECT tenant, value, ordinal FROM dictionary_rows;

SELECT count(*) FROM "entity_crew";

-- The number that each tenant's next crew gets.
SELECT tenant, max(next) AS next FROM (
    SELECT tenant, max(ordinal)::BIGINT + 1 AS next FROM "entity_crew" GROUP BY tenant
    UNION ALL
    SELECT tenant, next FROM numbers_given WHERE entity = $entity
) GROUP BY tenant;
-- entity = crew

SELECT fingerprint FROM hash_key;

SELECT tenant, value, ordinal FROM "entity_crew";

INSERT INTO "entity_crew" SELECT tenant, value, ordinal FROM dictionary_rows;

INSERT INTO "events_readings" (tenant, id, time, untimed, "commit", "station", "gate", "wet", "level", "flow", "seen", "probe", "crew", "__ordinal_probe.probe", "__ordinal_crew.crew") SELECT tenant, id, time, untimed, "commit", "station", "gate", "wet", "level", "flow", "seen", "probe", "crew", __ordinal0, __ordinal1 FROM stage ORDER BY time;

-- The earliest slot that waits for a fold, by stream and tenant.
SELECT stream, tenant, epoch_us(min(slot)) FROM ledger GROUP BY ALL;

-- The slots that these commits dirtied.
INSERT INTO ledger
SELECT unnest($streams), unnest($tenants), unnest($slots), unnest($commits), unnest($events);
-- streams = ['readings', 'readings']
-- tenants = ['river', 'river']
-- slots = [datetime.datetime(2013, 3, 9, 17, 0), datetime.datetime(2013, 3, 9, 17, 15)]
-- commits = [1, 1]
-- events = [1, 1]

-- The streams whose events are derived, from which, and what that means; what is derived no more is kept,
-- to be known again.
CREATE TABLE IF NOT EXISTS derivations (
    stream VARCHAR NOT NULL, source VARCHAR NOT NULL, hash VARCHAR NOT NULL, active BOOLEAN NOT NULL
);

-- Slots of the source in which events of commits from `since` on are new to a derived stream. Numbers
-- ascend, so that who has read some marks can tell those that came later.
CREATE TABLE IF NOT EXISTS derive_marks (
    stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, slot TIMESTAMP NOT NULL,
    since BIGINT NOT NULL, events BIGINT NOT NULL, number BIGINT NOT NULL
);

-- Which streams something is derived from.
SELECT DISTINCT source FROM derivations WHERE active;

-- What became of what arrived with these commits.
INSERT INTO outcomes
SELECT unnest($tenants), unnest($slots), unnest($streams), unnest($reasons), unnest($events), unnest($bytes),
    unnest($commits);
-- tenants = ['river']
-- slots = [datetime.datetime(2013, 3, 9, 17, 0)]
-- streams = ['readings']
-- reasons = ['accepted']
-- events = [2]
-- bytes = [0]
-- commits = [1]

INSERT OR IGNORE INTO tenants VALUES ($name, $timezone, $week_start, false);
-- name = river
-- timezone = America/New_York
-- week_start = monday

INSERT INTO commits SELECT unnest($numbers), unnest($times);
-- numbers = [1]
-- times = [datetime.datetime(2013, 3, 9, 17, 0)]
