-- Sales by store within the window. A member is a repeat buyer of a store with two order days there.
WITH v AS (
  SELECT store AS at_store, COALESCE(members.member, 0) AS who, day AS on_day, COUNT(*) AS day_orders,
    CAST(SUM(net) AS BIGINT) AS day_net, CAST(SUM(items_milli) AS BIGINT) AS day_items,
    CAST(SUM(CASE WHEN items_milli > 0 THEN 1 ELSE 0 END) AS BIGINT) AS day_itemed
  FROM heads LEFT JOIN members ON members.member = heads.member AND members.joined <= $as_of
  WHERE counted = 1 AND day > $window_from AND day <= $as_of
  GROUP BY store, COALESCE(members.member, 0), day
), w AS (
  SELECT at_store, who, COUNT(*) AS visit_days, MAX(on_day) AS latest, CAST(SUM(day_orders) AS BIGINT) AS who_orders,
    CAST(SUM(day_net) AS BIGINT) AS who_net, CAST(SUM(day_items) AS BIGINT) AS who_items,
    CAST(SUM(day_itemed) AS BIGINT) AS who_itemed
  FROM v
  GROUP BY at_store, who
)
SELECT at_store, CAST(SUM(who_orders) AS BIGINT) AS orders, CAST(SUM(who_net) AS BIGINT) AS net_sum,
  CAST(SUM(who_items) AS BIGINT) AS items_sum, CAST(SUM(who_itemed) AS BIGINT) AS itemed,
  CAST(SUM(CASE WHEN who <> 0 THEN 1 ELSE 0 END) AS BIGINT) AS buyers,
  CAST(SUM(CASE WHEN who <> 0 AND latest > $active_from THEN 1 ELSE 0 END) AS BIGINT) AS active,
  CAST(SUM(CASE WHEN who <> 0 AND visit_days >= 2 THEN 1 ELSE 0 END) AS BIGINT) AS repeaters
FROM w
GROUP BY at_store
ORDER BY net_sum DESC, at_store
