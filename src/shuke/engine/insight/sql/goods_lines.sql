-- What stood in each order by item: products stand for items as the table `goods` says; goods not in it are left out.
SELECT heads.order_id AS at_order, COALESCE(MAX(members.member), 0) AS who, CAST(MAX(heads.day) AS INTEGER) AS on_day,
  goods.item AS what, CAST(SUM(lines.amount) AS BIGINT) AS paid, CAST(SUM(lines.refunded) AS BIGINT) AS back
FROM lines
JOIN goods ON goods.product = lines.product
JOIN heads ON heads.order_id = lines.order_id
LEFT JOIN members ON members.member = heads.member
WHERE heads.counted = 1 AND heads.day <= $as_of
GROUP BY heads.order_id, goods.item
