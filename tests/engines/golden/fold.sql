-- The number of the last durable append.
SELECT coalesce(max("commit"), 0) FROM commits;

-- Up to which commit the kept rows of each slot hold its events, and how many the marks say came later; -1
-- where they must be made anew.
SELECT coalesce(max(h."commit"), -1) AS held,
    CASE WHEN min(l.first) > max(h."commit") AND min(l.least) > 0 THEN sum(l.events) ELSE -1 END::BIGINT
        AS marked
FROM places AS p
LEFT JOIN held AS h ON h.stream = $stream AND h.tenant = p.tenant AND h.slot = p.start
LEFT JOIN (
    SELECT tenant, slot, min("commit") AS first, min(events) AS least, sum(events) AS events
    FROM ledger AS m SEMI JOIN places AS c ON c.tenant = m.tenant AND c.start = m.slot
    WHERE stream = $stream GROUP BY tenant, slot
) AS l ON l.tenant = p.tenant AND l.slot = p.start
GROUP BY p.tenant, p.start ORDER BY p.tenant, p.start;
-- stream = readings

-- What the events to fold give to each measure.
SELECT c.__tenant, c.__slot, c.__day, c.__dirty, "station", "gate", "wet", "probe", 1::TINYINT AS "__m_243b68e6251a4a0c", CASE WHEN "wet" = $p0 THEN 1::TINYINT END AS "__m_2f000076e2d9d05f", round_even("level" * $p1::DOUBLE, 0)::BIGINT AS "__m_b3686568a8b5d286", "flow" AS "__m_9d13f97c922467d3", "level" AS "__m_ea780e32910230c8", "flow" AS "__m_d81829a5cae16c1e", CASE WHEN abs("level"::DOUBLE) < $p2::DOUBLE THEN 0 ELSE sign("level"::DOUBLE)::INTEGER * (ceil(ln(abs("level"::DOUBLE)) / ln($p3::DOUBLE))::INTEGER + $p4::INTEGER) END AS "__m_033529746b31509a", "level"::DOUBLE AS "__m_033529746b31509a_value", CASE WHEN "wet" = $p8 AND "flow" IS NOT NULL THEN CASE WHEN abs("flow"::DOUBLE) < $p5::DOUBLE THEN 0 ELSE sign("flow"::DOUBLE)::INTEGER * (ceil(ln(abs("flow"::DOUBLE)) / ln($p6::DOUBLE))::INTEGER + $p7::INTEGER) END END AS "__m_05b4a72f9b72e690", CASE WHEN "wet" = $p9 AND "flow" IS NOT NULL THEN "flow"::DOUBLE END AS "__m_05b4a72f9b72e690_value", "__ordinal_probe.probe" AS "__m_57d74ec3e233f12a", CASE WHEN "station" = $p10 THEN "__ordinal_crew.crew" END AS "__m_81493006aeee52a2"
FROM (SELECT * FROM "events_readings" WHERE time >= $p11::TIMESTAMP AND time < $p12::TIMESTAMP AND "commit" > $p13) AS e
JOIN calendar AS c ON c.__tenant = e.tenant AND c.__slot = time_bucket(INTERVAL 15 MINUTES, e.time)
WHERE e."commit" > c.__after AND e."commit" <= c.__until;
-- p0 = False
-- p1 = 100.0
-- p2 = 1e-09
-- p3 = 1.02
-- p4 = 2000
-- p5 = 1e-09
-- p6 = 1.02
-- p7 = 2000
-- p8 = True
-- p9 = True
-- p10 = north
-- p11 = 2013-03-09 05:00:00
-- p12 = 2013-03-10 05:00:00
-- p13 = -1

-- How many events were read of each claimed slot, in their order.
SELECT count(p.__slot) AS events
FROM calendar AS c LEFT JOIN picked AS p ON p.__tenant = c.__tenant AND p.__slot = c.__slot
WHERE c.__dirty GROUP BY c.__tenant, c.__slot ORDER BY c.__tenant, c.__slot;

-- When the last commit was made.
SELECT epoch_us(max(made_at)) FROM commits;

-- How often each of some days was folded, in their order.
SELECT coalesce(max(r.revision), 0)::BIGINT AS revision
FROM places AS p LEFT JOIN revisions AS r
    ON r.stream = $stream AND r.tenant = p.tenant AND r.day = p.start
GROUP BY p.tenant, p.start ORDER BY p.tenant, p.start;
-- stream = readings

-- What the events of slots are for whole: its numbers, and which they are.
SELECT __tenant AS tenant, __slot AS start, count("__m_243b68e6251a4a0c") AS "__m_243b68e6251a4a0c", count("__m_2f000076e2d9d05f") AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_value") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_value") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_max",
    any_value(__day) AS __day, list(__row) AS __members
FROM picked WHERE __dirty GROUP BY __tenant, __slot ORDER BY tenant, start;

-- The slots that stay of days with slots that are made anew.
SELECT k.tenant, c.__day AS start, k."__m_243b68e6251a4a0c", k."__m_2f000076e2d9d05f", k."__m_b3686568a8b5d286", k."__m_9d13f97c922467d3", k."__m_ea780e32910230c8", k."__m_d81829a5cae16c1e", k."__m_033529746b31509a_min", k."__m_033529746b31509a_max", k."__m_05b4a72f9b72e690_min", k."__m_05b4a72f9b72e690_max", k."__m_033529746b31509a_keys", k."__m_033529746b31509a_counts", k."__m_05b4a72f9b72e690_keys", k."__m_05b4a72f9b72e690_counts", k."__m_57d74ec3e233f12a", k."__m_81493006aeee52a2"
FROM "rollup_8b8528a2b426de79_slot" AS k
JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = k.start
    AND NOT c.__daily AND (c.__merging OR NOT c.__dirty)
WHERE k.start >= $first AND k.start < $end;
-- first = 2013-03-09 05:00:00
-- end = 2013-03-10 05:00:00

-- Counts, sums and extremes, merged, and which rows make up each group.
SELECT tenant, start, sum("__m_243b68e6251a4a0c")::BIGINT AS "__m_243b68e6251a4a0c", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_min") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_max") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_min") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_max") AS "__m_05b4a72f9b72e690_max", list(__row) AS __members
FROM (SELECT tenant, start, "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", __row FROM part_0 UNION ALL SELECT tenant, start, "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", __row FROM part_1)
GROUP BY tenant, start ORDER BY tenant, start;

-- What the events of slots are for gates: its numbers, and which they are.
SELECT __tenant AS tenant, __slot AS start, "station", "gate", "wet", count("__m_243b68e6251a4a0c") AS "__m_243b68e6251a4a0c", count("__m_2f000076e2d9d05f") AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_value") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_value") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_max",
    any_value(__day) AS __day, list(__row) AS __members
FROM picked WHERE __dirty GROUP BY __tenant, __slot, "station", "gate", "wet" ORDER BY tenant, start;

-- The slots that stay of days with slots that are made anew.
SELECT k.tenant, c.__day AS start, k."station", k."gate", k."wet", k."__m_243b68e6251a4a0c", k."__m_2f000076e2d9d05f", k."__m_b3686568a8b5d286", k."__m_9d13f97c922467d3", k."__m_ea780e32910230c8", k."__m_d81829a5cae16c1e", k."__m_033529746b31509a_min", k."__m_033529746b31509a_max", k."__m_05b4a72f9b72e690_min", k."__m_05b4a72f9b72e690_max", k."__m_033529746b31509a_keys", k."__m_033529746b31509a_counts", k."__m_05b4a72f9b72e690_keys", k."__m_05b4a72f9b72e690_counts", k."__m_57d74ec3e233f12a", k."__m_81493006aeee52a2"
FROM "rollup_8fb16991e6d626ae_slot" AS k
JOIN calendar AS c ON c.__tenant = k.tenant AND c.__slot = k.start
    AND NOT c.__daily AND (c.__merging OR NOT c.__dirty)
WHERE k.start >= $first AND k.start < $end;
-- first = 2013-03-09 05:00:00
-- end = 2013-03-10 05:00:00

-- Counts, sums and extremes, merged, and which rows make up each group.
SELECT tenant, start, "station", "gate", "wet", sum("__m_243b68e6251a4a0c")::BIGINT AS "__m_243b68e6251a4a0c", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_min") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_max") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_min") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_max") AS "__m_05b4a72f9b72e690_max", list(__row) AS __members
FROM (SELECT tenant, start, "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", __row FROM part_0 UNION ALL SELECT tenant, start, "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", __row FROM part_1)
GROUP BY tenant, start, "station", "gate", "wet" ORDER BY tenant, start;

-- What the events of days are for wide: its numbers, and which they are.
SELECT __tenant AS tenant, __day AS start, "station", "gate", "probe", count("__m_243b68e6251a4a0c") AS "__m_243b68e6251a4a0c", count("__m_2f000076e2d9d05f") AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_value") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_value") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_max",
    list(__row) AS __members
FROM picked GROUP BY __tenant, __day, "station", "gate", "probe" ORDER BY tenant, start;
