-- Every purchase of a living member up to a day, with what its lines say about margin and price. `margins` names the products of
-- which a margin (permille) or the cost of a piece (cost) is stated; -1: not that one. What was given back of a line is not kept. `taken_off` has one row an order at most.
WITH goods_told AS (
  SELECT lines.order_id AS of_order,
    CASE WHEN lines.amount > lines.refunded THEN lines.amount - lines.refunded ELSE 0 END AS left_over,
    CASE WHEN lines.amount > 0 THEN lines.amount ELSE 0 END AS asked,
    CASE WHEN lines.amount > 0 AND lines.discount > 0 THEN lines.amount ELSE 0 END AS reduced,
    CASE WHEN margins.product IS NULL THEN 0 ELSE 1 END AS told,
    CASE WHEN margins.product IS NULL THEN $default_margin WHEN margins.permille >= 0 THEN margins.permille ELSE 0 END AS rate,
    CASE WHEN margins.cost >= 0 THEN 1 ELSE 0 END AS by_piece,
    CASE WHEN margins.cost >= 0 AND lines.amount > lines.refunded THEN margins.cost * lines.quantity_milli ELSE 0 END AS pieces_cost
  FROM lines LEFT JOIN margins ON margins.product = lines.product
),
orders_told AS (
  SELECT of_order,
    CAST(SUM(left_over) AS BIGINT) AS kept_sum,
    CAST(SUM(left_over * rate) AS BIGINT) AS weighted_sum,
    CAST(SUM(left_over * by_piece) AS BIGINT) AS costed_sum,
    CAST(SUM(pieces_cost) AS BIGINT) AS cost_sum,
    CAST(SUM(left_over * told) AS BIGINT) AS stated_sum,
    CAST(SUM(asked) AS BIGINT) AS asked_sum,
    CAST(SUM(reduced) AS BIGINT) AS reduced_sum
  FROM goods_told GROUP BY of_order
)
SELECT members.member AS who, heads.day AS on_day, heads.net AS net_paid,
  COALESCE(kept_sum, 0) AS kept, COALESCE(weighted_sum, 0) AS weighted, COALESCE(costed_sum, 0) AS costed,
  COALESCE(cost_sum, 0) AS cost_milli, COALESCE(stated_sum, 0) AS stated,
  COALESCE(asked_sum, 0) AS asked, COALESCE(reduced_sum, 0) AS reduced,
  heads.refunded AS given_back, COALESCE(taken_off.minor, 0) AS taken
FROM heads
JOIN members ON members.member = heads.member AND members.joined <= $as_of
LEFT JOIN orders_told ON orders_told.of_order = heads.order_id
LEFT JOIN taken_off ON taken_off.order_id = heads.order_id
WHERE heads.counted = 1 AND heads.day <= $as_of
ORDER BY who, on_day, heads.order_id
