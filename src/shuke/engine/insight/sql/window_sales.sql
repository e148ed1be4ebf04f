-- Sales within the window, guests included.
SELECT COUNT(*) AS orders, CAST(COALESCE(SUM(net), 0) AS BIGINT) AS net_sum,
  CAST(COALESCE(SUM(items_milli), 0) AS BIGINT) AS items_sum,
  CAST(COALESCE(SUM(CASE WHEN items_milli > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS itemed,
  CAST(COALESCE(SUM(CASE WHEN members.member IS NULL THEN 0 ELSE net END), 0) AS BIGINT) AS known_net
FROM heads LEFT JOIN members ON members.member = heads.member AND members.joined <= $as_of
WHERE counted = 1 AND day > $window_from AND day <= $as_of
