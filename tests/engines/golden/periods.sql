-- The rows of the days of each period.
    SELECT d.tenant, d.start, d."station", d."gate", d."wet", d."__m_243b68e6251a4a0c", d."__m_2f000076e2d9d05f", d."__m_b3686568a8b5d286", d."__m_9d13f97c922467d3", d."__m_ea780e32910230c8", d."__m_d81829a5cae16c1e", d."__m_033529746b31509a_min", d."__m_033529746b31509a_max", d."__m_05b4a72f9b72e690_min", d."__m_05b4a72f9b72e690_max", d."__m_033529746b31509a_keys", d."__m_033529746b31509a_counts", d."__m_05b4a72f9b72e690_keys", d."__m_05b4a72f9b72e690_counts", d."__m_57d74ec3e233f12a", d."__m_81493006aeee52a2"
FROM "rollup_8fb16991e6d626ae_day" AS d
SEMI JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start
WHERE d.start BETWEEN $first AND $last;
-- first = 2013-03-09 05:00:00
-- last = 2013-03-09 05:00:00

-- Of which period each row of a day is.
SELECT m.__start AS start FROM day_rows AS d
JOIN members AS m ON m.__tenant = d.tenant AND m.__day = d.start ORDER BY d.__row;

-- Counts, sums and extremes, merged, and which rows make up each group.
SELECT tenant, start, "station", "gate", "wet", sum("__m_243b68e6251a4a0c")::BIGINT AS "__m_243b68e6251a4a0c", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_min") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_max") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_min") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_max") AS "__m_05b4a72f9b72e690_max", list(__row) AS __members, __of FROM parts GROUP BY __of, tenant, start, "station", "gate", "wet" ORDER BY __of, tenant, start;

-- Their rows are about to change.
DELETE FROM period_versions AS v USING built AS b
WHERE v.rollup = $rollup AND v.period = $period AND v.tenant = b.tenant AND v.start = b.start;
-- rollup = 8fb16991e6d626ae
-- period = month

DELETE FROM "rollup_8fb16991e6d626ae_month" AS r USING built AS b WHERE r.tenant = b.tenant AND r.start = b.start;

INSERT INTO "rollup_8fb16991e6d626ae_month" ("tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM merged;

-- From now on the rows of these periods may be read, for as long as their days keep their revisions.
INSERT INTO period_versions SELECT $rollup, tenant, $period, start, "end", revision, without FROM built;
-- rollup = 8fb16991e6d626ae
-- period = month
