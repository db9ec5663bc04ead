-- The number of the last durable append, and when it was made.
SELECT coalesce(max("commit"), 0), coalesce(epoch_us(max(made_at)), 0) FROM commits;

-- Up to which commit the kept rows of some tenants' slots hold their events, from the first to the last of
-- these slots, and how many the marks say came later; -1 where they must be made anew.
SELECT h.tenant, epoch_us(h.slot) AS slot, max(h."commit") AS held,
    CASE WHEN min(l."commit") > max(h."commit") AND min(l.events) > 0 THEN sum(l.events) ELSE -1 END::BIGINT
        AS marked
FROM held AS h LEFT JOIN ledger AS l ON l.stream = h.stream AND l.tenant = h.tenant AND l.slot = h.slot
WHERE h.stream = $stream AND h.slot BETWEEN make_timestamp($first) AND make_timestamp($last)
    AND h.tenant IN (SELECT unnest($tenants))
GROUP BY h.tenant, h.slot;
-- stream = readings
-- tenants = ['river']
-- first = 1362805200000000
-- last = 1362890700000000

-- What the events to fold give to each measure.
SELECT c.__slot_at, c.__day_at, c.__dirty, "station", "gate", "wet", "probe", 1::TINYINT AS "__m_243b68e6251a4a0c", CASE WHEN "wet" = $p0 THEN 1::TINYINT END AS "__m_2f000076e2d9d05f", round_even("level" * $p1::DOUBLE, 0)::BIGINT AS "__m_b3686568a8b5d286", "flow" AS "__m_9d13f97c922467d3", "level" AS "__m_ea780e32910230c8", "flow" AS "__m_d81829a5cae16c1e", CASE WHEN abs("level"::DOUBLE) < $p2::DOUBLE THEN 0 ELSE sign("level"::DOUBLE)::INTEGER * (ceil(ln(abs("level"::DOUBLE)) / ln($p3::DOUBLE))::INTEGER + $p4::INTEGER) END AS "__m_033529746b31509a", "level"::DOUBLE AS "__m_033529746b31509a_value", CASE WHEN "wet" = $p8 AND "flow" IS NOT NULL THEN CASE WHEN abs("flow"::DOUBLE) < $p5::DOUBLE THEN 0 ELSE sign("flow"::DOUBLE)::INTEGER * (ceil(ln(abs("flow"::DOUBLE)) / ln($p6::DOUBLE))::INTEGER + $p7::INTEGER) END END AS "__m_05b4a72f9b72e690", CASE WHEN "wet" = $p9 AND "flow" IS NOT NULL THEN "flow"::DOUBLE END AS "__m_05b4a72f9b72e690_value", "__ordinal_probe.probe" AS "__m_57d74ec3e233f12a", CASE WHEN "station" = $p10 THEN "__ordinal_crew.crew" END AS "__m_81493006aeee52a2"
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

-- How often days of some tenants were folded, from the first to the last of these days.
SELECT tenant, epoch_us(day) AS day, revision FROM revisions
WHERE stream = $stream AND day BETWEEN make_timestamp($first) AND make_timestamp($last)
    AND tenant IN (SELECT unnest($tenants));
-- stream = readings
-- tenants = ['river']
-- first = 1362805200000000
-- last = 1362805200000000

-- What events are for whole, gates: numbers, and which they are.
SELECT __slot_at, "station", "gate", "wet", count("__m_243b68e6251a4a0c") AS "__m_243b68e6251a4a0c", count("__m_2f000076e2d9d05f") AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_value") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_value") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_max", list(__row) AS __members, GROUPING("station", "gate", "wet") AS __of FROM picked WHERE __dirty
GROUP BY GROUPING SETS ((__slot_at), (__slot_at, "station", "gate", "wet"))
ORDER BY __of, __slot_at;

-- The slots that stay of a day with slots that are made anew.
SELECT k.tenant, $first AS start, k."__m_243b68e6251a4a0c", k."__m_2f000076e2d9d05f", k."__m_b3686568a8b5d286", k."__m_9d13f97c922467d3", k."__m_ea780e32910230c8", k."__m_d81829a5cae16c1e", k."__m_033529746b31509a_min", k."__m_033529746b31509a_max", k."__m_05b4a72f9b72e690_min", k."__m_05b4a72f9b72e690_max", k."__m_033529746b31509a_keys", k."__m_033529746b31509a_counts", k."__m_05b4a72f9b72e690_keys", k."__m_05b4a72f9b72e690_counts", k."__m_57d74ec3e233f12a", k."__m_81493006aeee52a2"
FROM "rollup_8b8528a2b426de79_slot" AS k
WHERE k.tenant = $tenant AND k.start >= $first AND k.start < $end
    AND NOT list_contains($anew, epoch_us(k.start));
-- first = 2013-03-09 05:00:00
-- end = 2013-03-10 05:00:00
-- tenant = river
-- anew = [1362848400000000, 1362849300000000]

-- The slots that stay of a day with slots that are made anew.
SELECT k.tenant, $first AS start, k."station", k."gate", k."wet", k."__m_243b68e6251a4a0c", k."__m_2f000076e2d9d05f", k."__m_b3686568a8b5d286", k."__m_9d13f97c922467d3", k."__m_ea780e32910230c8", k."__m_d81829a5cae16c1e", k."__m_033529746b31509a_min", k."__m_033529746b31509a_max", k."__m_05b4a72f9b72e690_min", k."__m_05b4a72f9b72e690_max", k."__m_033529746b31509a_keys", k."__m_033529746b31509a_counts", k."__m_05b4a72f9b72e690_keys", k."__m_05b4a72f9b72e690_counts", k."__m_57d74ec3e233f12a", k."__m_81493006aeee52a2"
FROM "rollup_8fb16991e6d626ae_slot" AS k
WHERE k.tenant = $tenant AND k.start >= $first AND k.start < $end
    AND NOT list_contains($anew, epoch_us(k.start));
-- first = 2013-03-09 05:00:00
-- end = 2013-03-10 05:00:00
-- tenant = river
-- anew = [1362848400000000, 1362849300000000]

-- What events are for wide: numbers, and which they are.
SELECT __day_at, "station", "gate", "probe", count("__m_243b68e6251a4a0c") AS "__m_243b68e6251a4a0c", count("__m_2f000076e2d9d05f") AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_value") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_value") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_max", list(__row) AS __members, GROUPING("station", "gate", "probe") AS __of FROM picked
GROUP BY GROUPING SETS ((__day_at, "station", "gate", "probe"))
ORDER BY __of, __day_at;

-- Counts, sums and extremes, merged, and which rows make up each group.
SELECT tenant, start, "station", "gate", "wet", sum("__m_243b68e6251a4a0c")::BIGINT AS "__m_243b68e6251a4a0c", sum("__m_2f000076e2d9d05f")::BIGINT AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_min") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_max") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_min") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_max") AS "__m_05b4a72f9b72e690_max", list(__row) AS __members, __of FROM parts GROUP BY __of, tenant, start, "station", "gate", "wet" ORDER BY __of, tenant, start;
