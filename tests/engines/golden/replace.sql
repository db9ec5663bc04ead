-- Up to when tenants' events have been purged, where that is later than a time.
SELECT tenant, epoch_us(events_from) FROM seals
WHERE stream = $stream AND events_from > make_timestamp($first);
-- stream = readings
-- first = 1362805200000000

-- How often days of some tenants were folded, from the first to the last of these days.
SELECT tenant, epoch_us(day) AS day, revision FROM revisions
WHERE stream = $stream AND day BETWEEN make_timestamp($first) AND make_timestamp($last)
    AND tenant IN (SELECT unnest($tenants));
-- stream = readings
-- tenants = ['river']
-- first = 1362805200000000
-- last = 1362805200000000

-- What is kept of some places; what is far from all of them is spared.
DELETE FROM "rollup_8b8528a2b426de79_slot" USING places AS p
WHERE "rollup_8b8528a2b426de79_slot".tenant = p.tenant AND "rollup_8b8528a2b426de79_slot".start = p.start
    AND "rollup_8b8528a2b426de79_slot".start BETWEEN make_timestamp($first) AND make_timestamp($last);
-- first = 1362848400000000
-- last = 1362849300000000

INSERT INTO "rollup_8b8528a2b426de79_slot" ("tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

-- What is kept of one place.
DELETE FROM "rollup_8b8528a2b426de79_day" WHERE tenant = $tenant AND start = make_timestamp($start);
-- tenant = river
-- start = 1362805200000000

INSERT INTO "rollup_8b8528a2b426de79_day" ("tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

-- What is kept of some places; what is far from all of them is spared.
DELETE FROM "rollup_8fb16991e6d626ae_slot" USING places AS p
WHERE "rollup_8fb16991e6d626ae_slot".tenant = p.tenant AND "rollup_8fb16991e6d626ae_slot".start = p.start
    AND "rollup_8fb16991e6d626ae_slot".start BETWEEN make_timestamp($first) AND make_timestamp($last);
-- first = 1362848400000000
-- last = 1362849300000000

INSERT INTO "rollup_8fb16991e6d626ae_slot" ("tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

-- What is kept of one place.
DELETE FROM "rollup_8fb16991e6d626ae_day" WHERE tenant = $tenant AND start = make_timestamp($start);
-- tenant = river
-- start = 1362805200000000

INSERT INTO "rollup_8fb16991e6d626ae_day" ("tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "station", "gate", "wet", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

-- What is kept of one place.
DELETE FROM "rollup_365dfe8de5fc188a_day" WHERE tenant = $tenant AND start = make_timestamp($start);
-- tenant = river
-- start = 1362805200000000

INSERT INTO "rollup_365dfe8de5fc188a_day" ("tenant", "start", "station", "gate", "probe", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts") SELECT "tenant", "start", "station", "gate", "probe", "__m_243b68e6251a4a0c", "__m_2f000076e2d9d05f", "__m_b3686568a8b5d286", "__m_9d13f97c922467d3", "__m_ea780e32910230c8", "__m_d81829a5cae16c1e", "__m_033529746b31509a_min", "__m_033529746b31509a_max", "__m_05b4a72f9b72e690_min", "__m_05b4a72f9b72e690_max", "__m_57d74ec3e233f12a", "__m_81493006aeee52a2", "__m_033529746b31509a_keys", "__m_033529746b31509a_counts", "__m_05b4a72f9b72e690_keys", "__m_05b4a72f9b72e690_counts" FROM folded;

-- The new version of each day, what it was made from, and when.
INSERT INTO revisions
SELECT $stream, unnest($tenants), make_timestamp(unnest($days)), unnest($revisions), $as_of, $now;
-- stream = readings
-- tenants = ['river']
-- days = [1362805200000000]
-- revisions = [1]
-- as_of = 1
-- now = 2013-03-09 17:00:00

-- What is kept of some places; what is far from all of them is spared.
DELETE FROM held USING places AS p
WHERE held.tenant = p.tenant AND held.slot = p.start
    AND held.slot BETWEEN make_timestamp($first) AND make_timestamp($last) AND stream = $stream;
-- first = 1362848400000000
-- last = 1362849300000000
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

-- What is kept of some places; what is far from all of them is spared.
DELETE FROM ledger USING places AS p
WHERE ledger.tenant = p.tenant AND ledger.slot = p.start
    AND ledger.slot BETWEEN make_timestamp($first) AND make_timestamp($last) AND stream = $stream AND "commit" <= $as_of;
-- first = 1362848400000000
-- last = 1362849300000000
-- stream = readings
-- as_of = 1
