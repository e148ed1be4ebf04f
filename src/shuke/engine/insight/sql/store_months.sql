-- Sales by store and calendar month up to a day, for the stores in the table `chosen`.
SELECT store AS at_store, month AS in_month, COUNT(*) AS orders, CAST(SUM(net) AS BIGINT) AS net_sum,
  CAST(SUM(items_milli) AS BIGINT) AS items_sum,
  CAST(SUM(CASE WHEN items_milli > 0 THEN 1 ELSE 0 END) AS BIGINT) AS itemed,
  COUNT(DISTINCT members.member) AS buyers
FROM heads JOIN chosen ON chosen.store_id = heads.store LEFT JOIN members ON members.member = heads.member AND members.joined <= $as_of
WHERE counted = 1 AND day <= $as_of
GROUP BY store, month
ORDER BY at_store, in_month
