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
-- sets = ['__m_57d74ec3e233f12a', '__m_81493006aeee52a2']
-- first = 2013-03-06 05:00:00
-- last = 2013-03-13 04:00:00

-- Counts, sums and extremes, merged by bucket and split.
SELECT __bucket, "station", sum("__m_243b68e6251a4a0c")::BIGINT AS "__m_243b68e6251a4a0c", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_min") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_max") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_min") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_max") AS "__m_05b4a72f9b72e690_max", count(*) AS __rows FROM (SELECT 0 AS __bucket, r."station", r."__m_243b68e6251a4a0c", r."__m_2f000076e2d9d05f", r."__m_b3686568a8b5d286", r."__m_9d13f97c922467d3", r."__m_ea780e32910230c8", r."__m_d81829a5cae16c1e", r."__m_033529746b31509a_min", r."__m_033529746b31509a_max", r."__m_05b4a72f9b72e690_min", r."__m_05b4a72f9b72e690_max" FROM "rollup_8fb16991e6d626ae_day" AS r WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP) AS rows GROUP BY ALL;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00

-- The lists of levels and wet_flows and probes and north_crews with their bucket and split.
SELECT __bucket, "station", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2" FROM (SELECT 0 AS __bucket, r."station", r."__m_033529746b31509a_keys", r."__m_033529746b31509a_counts", r."__m_05b4a72f9b72e690_keys", r."__m_05b4a72f9b72e690_counts", r."__m_57d74ec3e233f12a", r."__m_81493006aeee52a2" FROM "rollup_8fb16991e6d626ae_day" AS r WHERE r.tenant = $p0 AND r.start >= $p1::TIMESTAMP AND r.start < $p2::TIMESTAMP) AS rows WHERE len("__m_033529746b31509a_keys") > 0 OR len("__m_05b4a72f9b72e690_keys") > 0 OR len("__m_57d74ec3e233f12a") > 0 OR len("__m_81493006aeee52a2") > 0;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00
