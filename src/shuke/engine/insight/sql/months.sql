-- Sales by calendar month up to a day, guests included; buyers are living members.
SELECT month AS in_month, COUNT(*) AS orders, CAST(SUM(net) AS BIGINT) AS net_sum,
  CAST(SUM(items_milli) AS BIGINT) AS items_sum,
  CAST(SUM(CASE WHEN items_milli > 0 THEN 1 ELSE 0 END) AS BIGINT) AS itemed,
  CAST(SUM(CASE WHEN members.member IS NULL THEN 0 ELSE net END) AS BIGINT) AS known_net,
  COUNT(DISTINCT members.member) AS buyers
FROM heads LEFT JOIN members ON members.member = heads.member AND members.joined <= $as_of
WHERE counted = 1 AND day <= $as_of
GROUP BY month
ORDER BY in_month
