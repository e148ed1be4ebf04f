-- What each living member spent on each item within the window, less what was given back, and on how many lines.
SELECT heads.member AS who, goods.item AS what, CAST(SUM(lines.amount - lines.refunded) AS BIGINT) AS kept, COUNT(*) AS times
FROM lines
JOIN goods ON goods.product = lines.product
JOIN heads ON heads.order_id = lines.order_id
JOIN members ON members.member = heads.member
WHERE heads.counted = 1 AND heads.day > $window_from AND heads.day <= $as_of
GROUP BY heads.member, goods.item
