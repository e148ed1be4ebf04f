-- Every purchase of a living member up to a day, with what its lines say about margin and price (`order_sums`). `taken_off` has one
-- row an order at most.
SELECT members.member AS who, heads.day AS on_day, heads.net AS net_paid,
  COALESCE(order_sums.kept_sum, 0) AS kept, COALESCE(order_sums.weighted_sum, 0) AS weighted, COALESCE(order_sums.costed_sum, 0) AS costed,
  COALESCE(order_sums.cost_sum, 0) AS cost_milli, COALESCE(order_sums.stated_sum, 0) AS stated,
  COALESCE(order_sums.asked_sum, 0) AS asked, COALESCE(order_sums.reduced_sum, 0) AS reduced,
  heads.refunded AS given_back, COALESCE(taken_off.minor, 0) AS taken
FROM heads
JOIN members ON members.member = heads.member AND members.joined <= $as_of
LEFT JOIN order_sums ON order_sums.of_order = heads.order_id
LEFT JOIN taken_off ON taken_off.order_id = heads.order_id
WHERE heads.counted = 1 AND heads.day <= $as_of
ORDER BY who, on_day, heads.order_id
