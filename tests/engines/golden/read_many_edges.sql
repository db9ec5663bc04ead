-- Counts, sums and extremes, merged by bucket and split.
SELECT __bucket, sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", count(*) AS __rows FROM (SELECT b.__bucket AS __bucket, r."__m_9d13f97c922467d3" FROM "rollup_8b8528a2b426de79_slot" AS r ASOF JOIN points_0_slot AS b ON r.start >= b.__at WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP) AS rows GROUP BY ALL;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00

-- The lists of probes with their bucket and split.
SELECT __bucket, "__m_57d74ec3e233f12a" FROM (SELECT b.__bucket AS __bucket, r."__m_57d74ec3e233f12a" FROM "rollup_8b8528a2b426de79_slot" AS r ASOF JOIN points_1_slot AS b ON r.start >= b.__at WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP) AS rows WHERE len("__m_57d74ec3e233f12a") > 0;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00
