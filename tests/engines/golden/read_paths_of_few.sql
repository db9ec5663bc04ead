-- Which steps each event is, with its entity and its time.
SELECT "__ordinal_crew.crew" AS ordinal, epoch_us(time) AS time, (CASE WHEN "station" = $p0 THEN 1 ELSE 0 END + CASE WHEN true THEN 4 ELSE 0 END)::UTINYINT AS steps
FROM "events_readings"
WHERE tenant = $p3 AND time >= $p1::TIMESTAMP AND time < $p2::TIMESTAMP
    AND "__ordinal_crew.crew" IS NOT NULL AND (("station" = $p0) OR (true)) AND "__ordinal_crew.crew" IN (SELECT ordinal FROM among);
-- p0 = north
-- p1 = 2013-03-06 17:00:00
-- p2 = 2013-03-12 17:00:00
-- p3 = river
