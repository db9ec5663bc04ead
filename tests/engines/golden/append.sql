-- The number of the last durable append.
SELECT coalesce(max("commit"), 0) FROM commits;

-- Rows named by (tenant, id, time) that neither an earlier row nor the stream has.
WITH first AS (
    SELECT tenant, id, time, min(__seq) AS __seq
    FROM stage WHERE NOT untimed GROUP BY tenant, id, time
)
SELECT f.__seq FROM first AS f
ANTI JOIN (
    SELECT tenant, id, time FROM "events_readings"
    WHERE time BETWEEN $earliest AND $latest AND NOT untimed
) AS e ON e.tenant = f.tenant AND e.id = f.id AND e.time = f.time;
-- earliest = 2013-03-09 17:00:00
-- latest = 2013-03-09 17:15:00

-- Rows that came without a time are recognised by their id for a while, on both sides of their
-- arrival, since a clock may have been set back in between.
WITH first AS (
    SELECT tenant, id, min(__seq) AS __seq FROM stage WHERE untimed GROUP BY tenant, id
)
SELECT f.__seq FROM first AS f
ANTI JOIN (
    SELECT tenant, id FROM "events_readings"
    WHERE time BETWEEN $earliest AND $latest AND untimed
) AS e ON e.tenant = f.tenant AND e.id = f.id;
-- earliest = 2013-03-08 17:00:00
-- latest = 2013-03-10 17:00:00

-- New probe values of readings get the tenant's next ordinals.
INSERT INTO "entity_probe"
SELECT n.tenant, n.value,
    (coalesce(m.last, -1) + row_number() OVER (PARTITION BY n.tenant ORDER BY n.value))::UINTEGER
FROM (SELECT DISTINCT tenant, "probe"::VARCHAR AS value FROM stage WHERE "probe" IS NOT NULL) AS n
ANTI JOIN "entity_probe" AS d ON d.tenant = n.tenant AND d.value = n.value
LEFT JOIN (SELECT tenant, max(ordinal)::BIGINT AS last FROM "entity_probe" GROUP BY tenant) AS m
    ON m.tenant = n.tenant;

-- New crew values of readings get the tenant's next ordinals.
INSERT INTO "entity_crew"
SELECT n.tenant, n.value,
    (coalesce(m.last, -1) + row_number() OVER (PARTITION BY n.tenant ORDER BY n.value))::UINTEGER
FROM (SELECT DISTINCT tenant, "crew"::VARCHAR AS value FROM stage WHERE "crew" IS NOT NULL) AS n
ANTI JOIN "entity_crew" AS d ON d.tenant = n.tenant AND d.value = n.value
LEFT JOIN (SELECT tenant, max(ordinal)::BIGINT AS last FROM "entity_crew" GROUP BY tenant) AS m
    ON m.tenant = n.tenant;

INSERT INTO "events_readings" (tenant, id, time, untimed, "commit", "station", "gate", "wet", "level", "flow", "seen", "probe", "crew", "__ordinal_probe.probe", "__ordinal_crew.crew") SELECT s.tenant, s.id, s.time, s.untimed, $commit, s."station", s."gate", s."wet", s."level", s."flow", s."seen", s."probe", s."crew", d0.ordinal, d1.ordinal FROM stage AS s LEFT JOIN "entity_probe" AS d0 ON d0.tenant = s.tenant AND d0.value = s."probe"::VARCHAR LEFT JOIN "entity_crew" AS d1 ON d1.tenant = s.tenant AND d1.value = s."crew"::VARCHAR ORDER BY s.time;
-- commit = 1

-- The slots that these rows dirtied.
INSERT INTO ledger
SELECT $stream, tenant, time_bucket(INTERVAL 15 MINUTES, time), $commit, count(*)
FROM stage GROUP BY ALL;
-- stream = readings
-- commit = 1

-- What became of what arrived with this commit.
INSERT INTO outcomes
SELECT unnest($tenants), $slot, unnest($streams), unnest($reasons), unnest($events), unnest($bytes), $commit;
-- tenants = ['river']
-- slot = 2013-03-09 17:00:00
-- streams = ['readings']
-- reasons = ['accepted']
-- events = [2]
-- bytes = [0]
-- commit = 1

INSERT OR IGNORE INTO tenants VALUES ($name, $timezone, $week_start, false);
-- name = river
-- timezone = America/New_York
-- week_start = monday

INSERT INTO commits VALUES ($commit, $at);
-- commit = 1
-- at = 2013-03-09 17:00:00

-- The earliest slot that waits for a fold, by tenant.
SELECT tenant, epoch_us(min(slot)) FROM ledger
WHERE stream = $stream AND list_contains($tenants, tenant) GROUP BY tenant;
-- stream = readings
-- tenants = ['river']
