-- Sales and buyers by part of the shop and stretch of days. Who bought first of all within the stretch is a newcomer of it.
-- Parts: of the store, or ($by_member) of the buyer; -1 then stands for guests. `buckets` says which day lies in which stretch.
WITH f AS (
  SELECT heads.member AS who, MIN(day) AS first_day
  FROM heads JOIN members ON members.member = heads.member AND members.joined <= $as_of
  WHERE counted = 1 AND day <= $as_of
  GROUP BY heads.member
), v AS (
  SELECT CASE WHEN $by_member = 1 THEN COALESCE(who_units.unit, -1) ELSE COALESCE(store_units.unit, 0) END AS part,
    buckets.bucket AS slot, COALESCE(members.member, 0) AS who, heads.day AS on_day, COUNT(*) AS day_orders,
    CAST(SUM(net) AS BIGINT) AS day_net, CAST(SUM(items_milli) AS BIGINT) AS day_items,
    CAST(SUM(CASE WHEN items_milli > 0 THEN 1 ELSE 0 END) AS BIGINT) AS day_itemed
  FROM heads JOIN buckets ON buckets.day = heads.day
    LEFT JOIN members ON members.member = heads.member AND members.joined <= $as_of
    LEFT JOIN who_units ON who_units.member = members.member
    LEFT JOIN store_units ON store_units.store = heads.store
  WHERE counted = 1 AND heads.day <= $as_of
  GROUP BY CASE WHEN $by_member = 1 THEN COALESCE(who_units.unit, -1) ELSE COALESCE(store_units.unit, 0) END,
    buckets.bucket, COALESCE(members.member, 0), heads.day
), w AS (
  SELECT v.part, v.slot, v.who, COUNT(*) AS visit_days, CAST(SUM(day_orders) AS BIGINT) AS who_orders,
    CAST(SUM(day_net) AS BIGINT) AS who_net, CAST(SUM(day_items) AS BIGINT) AS who_items,
    CAST(SUM(day_itemed) AS BIGINT) AS who_itemed, MAX(CASE WHEN begun.bucket = v.slot THEN 1 ELSE 0 END) AS fresh
  FROM v LEFT JOIN f ON f.who = v.who LEFT JOIN buckets AS begun ON begun.day = f.first_day
  GROUP BY v.part, v.slot, v.who
)
SELECT part AS in_part, slot AS in_slot, CAST(SUM(who_orders) AS BIGINT) AS orders, CAST(SUM(who_net) AS BIGINT) AS net_sum,
  CAST(SUM(who_items) AS BIGINT) AS items_sum, CAST(SUM(who_itemed) AS BIGINT) AS itemed,
  CAST(SUM(CASE WHEN who <> 0 THEN who_net ELSE 0 END) AS BIGINT) AS known_net,
  CAST(SUM(CASE WHEN who <> 0 THEN 1 ELSE 0 END) AS BIGINT) AS buyers,
  CAST(SUM(CASE WHEN who <> 0 AND visit_days >= 2 THEN 1 ELSE 0 END) AS BIGINT) AS came_again,
  CAST(SUM(CASE WHEN who <> 0 THEN fresh ELSE 0 END) AS BIGINT) AS newcomers,
  CAST(SUM(CASE WHEN who <> 0 AND fresh = 1 THEN who_net ELSE 0 END) AS BIGINT) AS new_net
FROM w
GROUP BY part, slot
ORDER BY in_part, in_slot
