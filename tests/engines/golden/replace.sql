-- Which of some days have been purged, in their order.
SELECT coalesce(bool_or(p.start < s.events_from), false) AS sealed
FROM places AS p LEFT JOIN seals AS s ON s.stream = $stream AND s.tenant = p.tenant
GROUP BY p.tenant, p.start ORDER BY p.tenant, p.start;
-- stream = readings

-- How often each of some days was folded, in their order.
SELECT coalesce(max(r.revision), 0)::BIGINT AS revision
FROM places AS p LEFT JOIN revisions AS r
    ON r.stream = $stream AND r.tenant = p.tenant AND r.day = p.start
GROUP BY p.tenant, p.start ORDER BY p.tenant, p.start;
-- stream = readings

DELETE FROM "rollup_8b8528a2b426de79_slot" USING places AS p WHERE "rollup_8b8528a2b426de79_slot".tenant = p.tenant AND "rollup_8b8528a2b426de79_slot".start = p.start AND "rollup_8b8528a2b426de79_slot".start BETWEEN make_timestamp($first) AND make_timestamp($last);
-- first = 1362848400000000
-- last = 1362849300000000

INSERT INTO "rollup_8b8528a2b426de79_slot" ("tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

DELETE FROM "rollup_8b8528a2b426de79_day" USING places AS p WHERE "rollup_8b8528a2b426de79_day".tenant = p.tenant AND "rollup_8b8528a2b426de79_day".start = p.start AND "rollup_8b8528a2b426de79_day".start BETWEEN make_timestamp($first) AND make_timestamp($last);
-- first = 1362805200000000
-- last = 1362805200000000

INSERT INTO "rollup_8b8528a2b426de79_day" ("tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

DELETE FROM "rollup_8fb16991e6d626ae_slot" USING places AS p WHERE "rollup_8fb16991e6d626ae_slot".tenant = p.tenant AND "rollup_8fb16991e6d626ae_slot".start = p.start AND "rollup_8fb16991e6d626ae_slot".start BETWEEN make_timestamp($first) AND make_timestamp($last);
-- first = 1362848400000000
-- last = 1362849300000000

INSERT INTO "rollup_8fb16991e6d626ae_slot" ("tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

DELETE FROM "rollup_8fb16991e6d626ae_day" USING places AS p WHERE "rollup_8fb16991e6d626ae_day".tenant = p.tenant AND "rollup_8fb16991e6d626ae_day".start = p.start AND "rollup_8fb16991e6d626ae_day".start BETWEEN make_timestamp($first) AND make_timestamp($last);
-- first = 1362805200000000
-- last = 1362805200000000

INSERT INTO "rollup_8fb16991e6d626ae_day" ("tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

DELETE FROM "rollup_365dfe8de5fc188a_day" USING places AS p WHERE "rollup_365dfe8de5fc188a_day".tenant = p.tenant AND "rollup_365dfe8de5fc188a_day".start = p.start AND "rollup_365dfe8de5fc188a_day".start BETWEEN make_timestamp($first) AND make_timestamp($last);
-- first = 1362805200000000
-- last = 1362805200000000

INSERT INTO "rollup_365dfe8de5fc188a_day" ("tenant", "start", "station", "gate", "probe", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "station", "gate", "probe", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

DELETE FROM revisions USING raised WHERE stream = $stream AND revisions.tenant = raised.tenant AND day = start;
-- stream = readings

INSERT INTO revisions SELECT $stream, tenant, start, revision, $as_of, $now FROM raised;
-- stream = readings
-- as_of = 1
-- now = 2013-03-09 17:00:00

-- These slots are held anew, or no more.
DELETE FROM held USING places AS p WHERE stream = $stream AND held.tenant = p.tenant AND slot = p.start;
-- stream = readings

-- Slots that are quiet, and as they were made from all of their events: nothing is left to be settled.
DELETE FROM held
WHERE NOT merged AND made_at + INTERVAL 15 MINUTES <= (SELECT max(made_at) FROM commits);

-- The kept rows of these slots hold what the fold read.
INSERT INTO held (stream, tenant, slot, "commit", made_at, merged)
SELECT $stream, p.tenant, p.start, $commit, (SELECT made_at FROM commits WHERE "commit" = $commit), p.merged
FROM places AS p;
-- stream = readings
-- commit = 1

-- Marks that came after the snapshot stay.
DELETE FROM ledger USING places AS p
WHERE stream = $stream AND ledger.tenant = p.tenant AND slot = p.start AND "commit" <= $as_of;
-- stream = readings
-- as_of = 1
