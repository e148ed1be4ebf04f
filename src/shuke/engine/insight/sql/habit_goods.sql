-- How many lines of living members each item has within the window: which goods are worth a bar of their own.
SELECT goods.item AS what, COUNT(*) AS times
FROM lines
JOIN goods ON goods.product = lines.product
JOIN heads ON heads.order_id = lines.order_id
JOIN members ON members.member = heads.member
WHERE heads.counted = 1 AND heads.day > $window_from AND heads.day <= $as_of
GROUP BY goods.item
