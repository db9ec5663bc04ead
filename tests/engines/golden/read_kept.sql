-- The weeks and months of a rollup that were put together, within a window, and the revisions of its days.
SELECT period, epoch_us(start) AS start, epoch_us("end") AS "end", revision FROM period_versions
WHERE rollup = $rollup AND tenant = $tenant AND start >= $first AND "end" <= $last
    AND NOT list_has_any(coalesce(without, []), $sets)
UNION ALL
SELECT NULL, epoch_us(day), NULL, revision FROM revisions
WHERE stream = $stream AND tenant = $tenant AND day >= $first AND day < $last;
-- rollup = 8fb16991e6d626ae
-- stream = readings
-- tenant = river
-- sets = ['__m_57d74ec3e233f12a']
-- first = 2013-03-06 05:00:00
-- last = 2013-03-13 04:00:00

-- Counts, sums and extremes, merged by bucket and split.
SELECT __bucket, "__kept", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", count(*) AS __rows FROM (SELECT 0 AS __bucket, k.__place AS __kept, r."__m_2f000076e2d9d05f" FROM "rollup_8fb16991e6d626ae_day" AS r LEFT JOIN kept_groups AS k ON r."station" IS NOT DISTINCT FROM k.__value_0::VARCHAR AND r."gate" IS NOT DISTINCT FROM k.__value_1::BIGINT WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP) AS rows GROUP BY ALL;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00

-- The lists of probes with their bucket and split.
SELECT __bucket, "__kept", "__m_57d74ec3e233f12a" FROM (SELECT 0 AS __bucket, k.__place AS __kept, r."__m_57d74ec3e233f12a" FROM "rollup_8fb16991e6d626ae_day" AS r LEFT JOIN kept_groups AS k ON r."station" IS NOT DISTINCT FROM k.__value_0::VARCHAR AND r."gate" IS NOT DISTINCT FROM k.__value_1::BIGINT WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP) AS rows WHERE len("__m_57d74ec3e233f12a") > 0;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00
