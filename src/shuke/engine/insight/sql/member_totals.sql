-- What each living member bought up to a day. Members without any paid order have no row.
WITH t AS (
  SELECT member AS whom,
    CAST(SUM(orders) AS BIGINT) AS order_sum,
    CAST(SUM(CASE WHEN orders > 0 THEN 1 ELSE 0 END) AS BIGINT) AS order_days,
    CAST(SUM(CASE WHEN orders > 0 AND day > $window_from THEN 1 ELSE 0 END) AS BIGINT) AS window_days,
    CAST(SUM(net) AS BIGINT) AS net_sum,
    CAST(SUM(CASE WHEN day > $window_from THEN net ELSE 0 END) AS BIGINT) AS window_net,
    CAST(SUM(refunded) AS BIGINT) AS refunded_sum,
    CAST(COALESCE(MIN(CASE WHEN orders > 0 THEN day END), 0) AS INTEGER) AS first_day,
    CAST(COALESCE(MAX(CASE WHEN orders > 0 THEN day END), 0) AS INTEGER) AS last_day,
    CAST(COALESCE(MIN(CASE WHEN orders > 0 THEN first_s END), 0) AS BIGINT) AS since_s,
    CAST(COALESCE(MAX(CASE WHEN orders > 0 THEN last_s END), 0) AS BIGINT) AS until_s
  FROM days
  WHERE day <= $as_of
  GROUP BY member
)
SELECT whom AS who, order_sum AS orders, order_days, window_days, net_sum, window_net, refunded_sum, first_day, last_day,
  since_s AS first_s, until_s AS last_s
FROM t JOIN members ON members.member = t.whom AND members.joined <= $as_of
ORDER BY who
