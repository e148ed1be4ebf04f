-- What the lines of each order say about margin and price. `margins` names the products of which a margin (permille) or the cost of a
-- piece (cost) is stated; -1: not that one. What was given back of a line is not kept.
WITH goods_told AS (
  SELECT lines.order_id AS of_order,
    CASE WHEN lines.amount > lines.refunded THEN lines.amount - lines.refunded ELSE 0 END AS left_over,
    CASE WHEN lines.amount > 0 THEN lines.amount ELSE 0 END AS goods,
    CASE WHEN lines.amount > 0 AND lines.discount > 0 THEN lines.amount ELSE 0 END AS promoted,
    CASE WHEN margins.product IS NULL THEN 0 ELSE 1 END AS told,
    CASE WHEN margins.product IS NULL THEN $default_margin WHEN margins.permille >= 0 THEN margins.permille ELSE 0 END AS rate,
    CASE WHEN margins.cost >= 0 THEN 1 ELSE 0 END AS by_piece,
    CASE WHEN margins.cost >= 0 AND lines.amount > lines.refunded THEN margins.cost * lines.quantity_milli ELSE 0 END AS pieces_cost
  FROM lines LEFT JOIN margins ON margins.product = lines.product
)
SELECT of_order,
  CAST(SUM(left_over) AS BIGINT) AS kept_sum,
  CAST(SUM(left_over * rate) AS BIGINT) AS weighted_sum,
  CAST(SUM(left_over * by_piece) AS BIGINT) AS costed_sum,
  CAST(SUM(pieces_cost) AS BIGINT) AS cost_sum,
  CAST(SUM(left_over * told) AS BIGINT) AS stated_sum,
  CAST(SUM(goods) AS BIGINT) AS asked_sum,
  CAST(SUM(promoted) AS BIGINT) AS reduced_sum
FROM goods_told GROUP BY of_order
