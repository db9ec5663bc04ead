-- Counts, sums and extremes, merged by bucket and split.
WITH rows AS (SELECT CASE WHEN r.start < $p0::TIMESTAMP THEN 0 ELSE -1 END AS __bucket, r."station", r."__m_2f000076e2d9d05f" FROM "rollup_8fb16991e6d626ae_slot_sums" AS r WHERE r.tenant = $p1 AND r.start >= $p2::TIMESTAMP AND r.start < $p3::TIMESTAMP UNION ALL SELECT CASE WHEN r.start < $p4::TIMESTAMP THEN 0 ELSE -1 END AS __bucket, r."station", r."__m_2f000076e2d9d05f" FROM "rollup_8fb16991e6d626ae_day_sums" AS r WHERE r.tenant = $p5 AND r.start >= $p6::TIMESTAMP AND r.start < $p7::TIMESTAMP)
SELECT __bucket, "station", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", count(*) AS __rows FROM rows WHERE __bucket >= 0 GROUP BY ALL;
-- p0 = 2013-03-10 05:00:00
-- p1 = river
-- p2 = 2013-03-09 17:00:00
-- p3 = 2013-03-10 05:00:00
-- p4 = 2013-03-10 17:00:00
-- p5 = river
-- p6 = 2013-03-10 05:00:00
-- p7 = 2013-03-10 17:00:00
