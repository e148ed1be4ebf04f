-- What each living member bought up to a day. Members without any paid order have no row.
-- An order that was given back whole is no purchase: it counts in refunded_sum only.
WITH bought AS (
  SELECT heads.member AS who, day AS on_day, CAST(SUM(counted) AS BIGINT) AS day_orders,
    CAST(SUM(counted * net) AS BIGINT) AS day_net, CAST(SUM(refunded) AS BIGINT) AS day_refunded,
    CAST(MIN(CASE WHEN counted = 1 THEN paid_s END) AS BIGINT) AS day_first_s,
    CAST(MAX(CASE WHEN counted = 1 THEN paid_s END) AS BIGINT) AS day_last_s
  FROM heads JOIN members ON members.member = heads.member AND members.joined <= $as_of
  WHERE day <= $as_of
  GROUP BY heads.member, day
)
SELECT who,
  CAST(SUM(day_orders) AS BIGINT) AS orders,
  CAST(SUM(CASE WHEN day_orders > 0 THEN 1 ELSE 0 END) AS BIGINT) AS order_days,
  CAST(SUM(CASE WHEN day_orders > 0 AND on_day > $window_from THEN 1 ELSE 0 END) AS BIGINT) AS window_days,
  CAST(SUM(day_net) AS BIGINT) AS net_sum,
  CAST(SUM(CASE WHEN on_day > $window_from THEN day_net ELSE 0 END) AS BIGINT) AS window_net,
  CAST(SUM(day_refunded) AS BIGINT) AS refunded_sum,
  CAST(COALESCE(MIN(CASE WHEN day_orders > 0 THEN on_day END), 0) AS INTEGER) AS first_day,
  CAST(COALESCE(MAX(CASE WHEN day_orders > 0 THEN on_day END), 0) AS INTEGER) AS last_day,
  CAST(COALESCE(MIN(day_first_s), 0) AS BIGINT) AS first_s,
  CAST(COALESCE(MAX(day_last_s), 0) AS BIGINT) AS last_s
FROM bought
GROUP BY who
ORDER BY who
