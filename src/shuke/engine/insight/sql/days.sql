-- What each buyer bought and gave back on each day with orders: what the totals of members are counted from, on any day up to
-- this one. An order that was given back whole is no purchase: it counts in what was given back only.
WITH d AS (
  SELECT member AS whom, day AS on_day,
    CAST(SUM(counted) AS BIGINT) AS day_orders,
    CAST(SUM(counted * net) AS BIGINT) AS day_net,
    CAST(SUM(refunded) AS BIGINT) AS day_refunded,
    CAST(COALESCE(MIN(CASE WHEN counted = 1 THEN paid_s END), 0) AS BIGINT) AS day_first_s,
    CAST(COALESCE(MAX(CASE WHEN counted = 1 THEN paid_s END), 0) AS BIGINT) AS day_last_s
  FROM heads
  WHERE member <> 0 AND day <= $as_of
  GROUP BY member, day
)
SELECT whom AS member, on_day AS day, day_orders AS orders, day_net AS net, day_refunded AS refunded,
  day_first_s AS first_s, day_last_s AS last_s
FROM d
