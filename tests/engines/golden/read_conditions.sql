-- Counts, sums and extremes, merged by bucket and split.
WITH rows AS (SELECT CASE WHEN r.start < $p0::TIMESTAMP THEN CASE WHEN r.start < $p1::TIMESTAMP THEN CASE WHEN r.start < $p2::TIMESTAMP THEN 0 ELSE 1 END ELSE CASE WHEN r.start < $p3::TIMESTAMP THEN 2 ELSE 3 END END ELSE CASE WHEN r.start < $p4::TIMESTAMP THEN CASE WHEN r.start < $p5::TIMESTAMP THEN 4 ELSE 5 END ELSE CASE WHEN r.start < $p6::TIMESTAMP THEN 6 ELSE -1 END END END AS __bucket, r."__m_243b68e6251a4a0c" FROM "rollup_8fb16991e6d626ae_day_sums" AS r WHERE r.tenant = $p7 AND r.start >= $p8::TIMESTAMP AND r.start < $p9::TIMESTAMP AND "gate" IN ($p10, $p11) AND "wet" IS NOT NULL AND "gate" <> $p12)
SELECT __bucket, sum("__m_243b68e6251a4a0c")::BIGINT AS "__m_243b68e6251a4a0c", count(*) AS __rows FROM rows WHERE __bucket >= 0 GROUP BY ALL;
-- p0 = 2013-03-10 05:00:00
-- p1 = 2013-03-08 05:00:00
-- p2 = 2013-03-07 05:00:00
-- p3 = 2013-03-09 05:00:00
-- p4 = 2013-03-12 04:00:00
-- p5 = 2013-03-11 04:00:00
-- p6 = 2013-03-13 04:00:00
-- p7 = river
-- p8 = 2013-03-06 05:00:00
-- p9 = 2013-03-13 04:00:00
-- p10 = 1
-- p11 = 2
-- p12 = 3
