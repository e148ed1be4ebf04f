-- Who bought first in one stretch of days and what they bought in later ones, by the part of the shop in which they began.
WITH t AS (
  SELECT heads.member AS who, MIN(paid_s) AS first_s
  FROM heads JOIN members ON members.member = heads.member AND members.joined <= $as_of
  WHERE counted = 1 AND day <= $as_of
  GROUP BY heads.member
), p AS (
  SELECT t.who, CASE WHEN $by_member = 1 THEN COALESCE(who_units.unit, 0) ELSE COALESCE(store_units.unit, 0) END AS part,
    MIN(buckets.bucket) AS begun
  FROM t JOIN heads ON heads.member = t.who AND heads.paid_s = t.first_s
    JOIN buckets ON buckets.day = heads.day
    LEFT JOIN who_units ON who_units.member = t.who
    LEFT JOIN store_units ON store_units.store = heads.store
  WHERE counted = 1
  GROUP BY t.who, CASE WHEN $by_member = 1 THEN COALESCE(who_units.unit, 0) ELSE COALESCE(store_units.unit, 0) END
), v AS (
  SELECT heads.member AS who, buckets.bucket AS slot, COUNT(DISTINCT heads.day) AS visit_days, CAST(SUM(net) AS BIGINT) AS slot_net
  FROM heads JOIN t ON t.who = heads.member JOIN buckets ON buckets.day = heads.day
  WHERE counted = 1 AND heads.day <= $as_of
  GROUP BY heads.member, buckets.bucket
)
SELECT p.part AS in_part, p.begun AS cohort, v.slot - p.begun AS since, COUNT(*) AS buyers,
  CAST(SUM(visit_days) AS BIGINT) AS days_sum, CAST(SUM(slot_net) AS BIGINT) AS net_sum
FROM p JOIN v ON v.who = p.who
GROUP BY p.part, p.begun, v.slot - p.begun
ORDER BY in_part, cohort, since
