-- Counts, sums and extremes, merged by bucket and split.
SELECT __bucket, "station", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", count(*) AS __rows FROM (SELECT 0 AS __bucket, r."station", r."__m_2f000076e2d9d05f" FROM "rollup_8fb16991e6d626ae_slot" AS r WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP UNION ALL SELECT 0 AS __bucket, r."station", r."__m_2f000076e2d9d05f" FROM "rollup_8fb16991e6d626ae_day" AS r WHERE r.tenant = $p3 AND r.start >= $p4::TIMESTAMP AND r.start < $p5::TIMESTAMP) AS rows GROUP BY ALL;
-- p0 = river
-- p1 = 2013-03-09 17:00:00
-- p2 = 2013-03-10 05:00:00
-- p3 = river
-- p4 = 2013-03-10 05:00:00
-- p5 = 2013-03-10 17:00:00
