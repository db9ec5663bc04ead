-- A period's counts, sums and extremes are the merge of its days'.
   SELECT d.tenant, m.__start AS start, d."station", d."gate", d."wet", sum("__m_243b68e6251a4a0c")::BIGINT AS "__m_243b68e6251a4a0c", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_min") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_max") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_min") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_max") AS "__m_05b4a72f9b72e690_max"
   FROM "rollup_8fb16991e6d626ae_day_sums" AS d
   JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start
   WHERE d.start >= (SELECT min(__day) FROM members) AND d.start <= (SELECT max(__day) FROM members)
GROUP BY ALL ORDER BY d.tenant, m.__start;

-- A period's histograms are the sums of its days', bucket by bucket.
WITH counted AS (
    SELECT d.tenant, m.__start AS start, d."station", d."gate", d."wet", __measure, unnest(__keys) AS __key, unnest(__counts) AS __count

FROM "rollup_8fb16991e6d626ae_day_buckets" AS d
JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start
WHERE d.start >= (SELECT min(__day) FROM members) AND d.start <= (SELECT max(__day) FROM members)

), merged AS (
    SELECT * EXCLUDE (__count), sum(__count)::BIGINT AS __count FROM counted GROUP BY ALL
)
SELECT * EXCLUDE (__key, __count), list(__key) AS __keys, list(__count) AS __counts
FROM merged GROUP BY ALL ORDER BY tenant, start;

-- The sets of the days of the periods.
SELECT d.tenant, m.__start AS start, d."station", d."gate", d."wet", __measure, __ordinals
FROM "rollup_8fb16991e6d626ae_day_sets" AS d
JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start
WHERE d.start >= (SELECT min(__day) FROM members) AND d.start <= (SELECT max(__day) FROM members)

ORDER BY d.tenant, m.__start;

-- Which rows of days make up each period's set.
SELECT * EXCLUDE (__row), list(__row) AS __members FROM day_sets GROUP BY ALL ORDER BY tenant, start;

-- Their rows are about to change.
DELETE FROM period_versions AS v USING built AS b
WHERE v.rollup = $rollup AND v.period = $period AND v.tenant = b.tenant AND v.start = b.start;
-- rollup = 8fb16991e6d626ae
-- period = month

DELETE FROM "rollup_8fb16991e6d626ae_month_sums" AS r USING built AS b WHERE r.tenant = b.tenant AND r.start = b.start;

DELETE FROM "rollup_8fb16991e6d626ae_month_buckets" AS r USING built AS b WHERE r.tenant = b.tenant AND r.start = b.start;

DELETE FROM "rollup_8fb16991e6d626ae_month_sets" AS r USING built AS b WHERE r.tenant = b.tenant AND r.start = b.start;

INSERT INTO "rollup_8fb16991e6d626ae_month_sums" ("tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max") SELECT "tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max" FROM merged;

INSERT INTO "rollup_8fb16991e6d626ae_month_buckets" ("tenant", "start", "station", "gate", "wet", "__measure", "__keys", "__counts") SELECT "tenant", "start", "station", "gate", "wet", "__measure", "__keys", "__counts" FROM merged;

INSERT INTO "rollup_8fb16991e6d626ae_month_sets" ("tenant", "start", "station", "gate", "wet", "__measure", "__ordinals") SELECT "tenant", "start", "station", "gate", "wet", "__measure", "__ordinals" FROM merged;

-- From now on the rows of these periods may be read, for as long as their days keep their revisions.
INSERT INTO period_versions SELECT $rollup, tenant, $period, start, "end", revision FROM built;
-- rollup = 8fb16991e6d626ae
-- period = month
