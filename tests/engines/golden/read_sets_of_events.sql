-- Counts, sums and extremes, merged by bucket and split.
SELECT __bucket, "probe", count(*) AS __rows FROM (SELECT 0 AS __bucket, r."probe", "__ordinal_probe.probe" AS "__m_57d74ec3e233f12a" FROM "events_readings" AS r WHERE r.tenant = $p0 AND r.time >= $p1::TIMESTAMP AND r.time < $p2::TIMESTAMP AND "level" > $p3 AND contains("station", $p4) AND "seen" < $p5::TIMESTAMP) AS rows GROUP BY ALL;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00
-- p3 = 1.5
-- p4 = o
-- p5 = 2013-03-10 00:00:00

-- The sets of probes, from events by bucket and split.
SELECT __bucket, "probe", list(DISTINCT "__m_57d74ec3e233f12a") AS "__m_57d74ec3e233f12a", count(*) AS __rows
FROM (SELECT 0 AS __bucket, r."probe", "__ordinal_probe.probe" AS "__m_57d74ec3e233f12a" FROM "events_readings" AS r WHERE r.tenant = $p0 AND r.time >= $p1::TIMESTAMP AND r.time < $p2::TIMESTAMP AND "level" > $p3 AND contains("station", $p4) AND "seen" < $p5::TIMESTAMP) AS rows WHERE "__m_57d74ec3e233f12a" IS NOT NULL GROUP BY ALL;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00
-- p3 = 1.5
-- p4 = o
-- p5 = 2013-03-10 00:00:00
