-- Counts, sums and extremes, merged by bucket and split.
SELECT __bucket, "probe", count("__m_243b68e6251a4a0c") AS "__m_243b68e6251a4a0c", count("__m_2f000076e2d9d05f") AS "__m_2f000076e2d9d05f", sum("__m_b3686568a8b5d286") AS "__m_b3686568a8b5d286", sum("__m_9d13f97c922467d3") AS "__m_9d13f97c922467d3", min("__m_ea780e32910230c8") AS "__m_ea780e32910230c8", max("__m_d81829a5cae16c1e") AS "__m_d81829a5cae16c1e", min("__m_033529746b31509a_value") AS "__m_033529746b31509a_min", max("__m_033529746b31509a_value") AS "__m_033529746b31509a_max", min("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_min", max("__m_05b4a72f9b72e690_value") AS "__m_05b4a72f9b72e690_max", count(*) AS __rows FROM (SELECT 0 AS __bucket, r."probe", 1::TINYINT AS "__m_243b68e6251a4a0c", CASE WHEN "wet" = $p0 THEN 1::TINYINT END AS "__m_2f000076e2d9d05f", round_even("level" * $p1::DOUBLE, 0)::BIGINT AS "__m_b3686568a8b5d286", "flow" AS "__m_9d13f97c922467d3", "level" AS "__m_ea780e32910230c8", "flow" AS "__m_d81829a5cae16c1e", CASE WHEN abs("level"::DOUBLE) < $p2::DOUBLE THEN 0 ELSE sign("level"::DOUBLE)::INTEGER * (ceil(ln(abs("level"::DOUBLE)) / ln($p3::DOUBLE))::INTEGER + $p4::INTEGER) END AS "__m_033529746b31509a", "level"::DOUBLE AS "__m_033529746b31509a_value", CASE WHEN "wet" = $p8 AND "flow" IS NOT NULL THEN CASE WHEN abs("flow"::DOUBLE) < $p5::DOUBLE THEN 0 ELSE sign("flow"::DOUBLE)::INTEGER * (ceil(ln(abs("flow"::DOUBLE)) / ln($p6::DOUBLE))::INTEGER + $p7::INTEGER) END END AS "__m_05b4a72f9b72e690", CASE WHEN "wet" = $p9 AND "flow" IS NOT NULL THEN "flow"::DOUBLE END AS "__m_05b4a72f9b72e690_value", "__ordinal_probe.probe" AS "__m_57d74ec3e233f12a", CASE WHEN "station" = $p10 THEN "__ordinal_crew.crew" END AS "__m_81493006aeee52a2" FROM "events_readings" AS r WHERE r.tenant = $p11 AND r.time >= $p12::TIMESTAMP AND r.time < $p13::TIMESTAMP AND "level" > $p14 AND contains("station", $p15) AND "seen" < $p16::TIMESTAMP) AS rows GROUP BY ALL;
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
-- p11 = river
-- p12 = 2013-03-06 05:00:00
-- p13 = 2013-03-13 04:00:00
-- p14 = 1.5
-- p15 = o
-- p16 = 2013-03-10 00:00:00

-- The histograms of levels, folded from events by bucket and split.
SELECT __bucket, "probe", list(__key) AS "__m_033529746b31509a_keys",
    list(__count) AS "__m_033529746b31509a_counts",
    sum(__count)::BIGINT AS __rows
FROM (
    SELECT __bucket, "probe", "__m_033529746b31509a" AS __key, count(*) AS __count
    FROM (SELECT 0 AS __bucket, r."probe", CASE WHEN abs("level"::DOUBLE) < $p0::DOUBLE THEN 0 ELSE sign("level"::DOUBLE)::INTEGER * (ceil(ln(abs("level"::DOUBLE)) / ln($p1::DOUBLE))::INTEGER + $p2::INTEGER) END AS "__m_033529746b31509a", "level"::DOUBLE AS "__m_033529746b31509a_value" FROM "events_readings" AS r WHERE r.tenant = $p3 AND r.time >= $p4::TIMESTAMP AND r.time < $p5::TIMESTAMP AND "level" > $p6 AND contains("station", $p7) AND "seen" < $p8::TIMESTAMP) AS rows WHERE "__m_033529746b31509a" IS NOT NULL GROUP BY ALL
) GROUP BY ALL;
-- p0 = 1e-09
-- p1 = 1.02
-- p2 = 2000
-- p3 = river
-- p4 = 2013-03-06 05:00:00
-- p5 = 2013-03-13 04:00:00
-- p6 = 1.5
-- p7 = o
-- p8 = 2013-03-10 00:00:00

-- The histograms of wet_flows, folded from events by bucket and split.
SELECT __bucket, "probe", list(__key) AS "__m_05b4a72f9b72e690_keys",
    list(__count) AS "__m_05b4a72f9b72e690_counts",
    sum(__count)::BIGINT AS __rows
FROM (
    SELECT __bucket, "probe", "__m_05b4a72f9b72e690" AS __key, count(*) AS __count
    FROM (SELECT 0 AS __bucket, r."probe", CASE WHEN "wet" = $p3 AND "flow" IS NOT NULL THEN CASE WHEN abs("flow"::DOUBLE) < $p0::DOUBLE THEN 0 ELSE sign("flow"::DOUBLE)::INTEGER * (ceil(ln(abs("flow"::DOUBLE)) / ln($p1::DOUBLE))::INTEGER + $p2::INTEGER) END END AS "__m_05b4a72f9b72e690", CASE WHEN "wet" = $p4 AND "flow" IS NOT NULL THEN "flow"::DOUBLE END AS "__m_05b4a72f9b72e690_value" FROM "events_readings" AS r WHERE r.tenant = $p5 AND r.time >= $p6::TIMESTAMP AND r.time < $p7::TIMESTAMP AND "level" > $p8 AND contains("station", $p9) AND "seen" < $p10::TIMESTAMP) AS rows WHERE "__m_05b4a72f9b72e690" IS NOT NULL GROUP BY ALL
) GROUP BY ALL;
-- p0 = 1e-09
-- p1 = 1.02
-- p2 = 2000
-- p3 = True
-- p4 = True
-- p5 = river
-- p6 = 2013-03-06 05:00:00
-- p7 = 2013-03-13 04:00:00
-- p8 = 1.5
-- p9 = o
-- p10 = 2013-03-10 00:00:00

-- How many different probes the events have, by bucket and split.
SELECT __bucket, "probe", count(DISTINCT "__m_57d74ec3e233f12a") AS __size, count(*) AS __rows
FROM (SELECT 0 AS __bucket, r."probe", "__ordinal_probe.probe" AS "__m_57d74ec3e233f12a" FROM "events_readings" AS r WHERE r.tenant = $p0 AND r.time >= $p1::TIMESTAMP AND r.time < $p2::TIMESTAMP AND "level" > $p3 AND contains("station", $p4) AND "seen" < $p5::TIMESTAMP) AS rows WHERE "__m_57d74ec3e233f12a" IS NOT NULL GROUP BY ALL;
-- p0 = river
-- p1 = 2013-03-06 05:00:00
-- p2 = 2013-03-13 04:00:00
-- p3 = 1.5
-- p4 = o
-- p5 = 2013-03-10 00:00:00

-- How many different north_crews the events have, by bucket and split.
SELECT __bucket, "probe", count(DISTINCT "__m_81493006aeee52a2") AS __size, count(*) AS __rows
FROM (SELECT 0 AS __bucket, r."probe", CASE WHEN "station" = $p0 THEN "__ordinal_crew.crew" END AS "__m_81493006aeee52a2" FROM "events_readings" AS r WHERE r.tenant = $p1 AND r.time >= $p2::TIMESTAMP AND r.time < $p3::TIMESTAMP AND "level" > $p4 AND contains("station", $p5) AND "seen" < $p6::TIMESTAMP) AS rows WHERE "__m_81493006aeee52a2" IS NOT NULL GROUP BY ALL;
-- p0 = north
-- p1 = river
-- p2 = 2013-03-06 05:00:00
-- p3 = 2013-03-13 04:00:00
-- p4 = 1.5
-- p5 = o
-- p6 = 2013-03-10 00:00:00
