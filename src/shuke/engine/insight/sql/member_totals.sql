-- What each living member bought up to a day. Members without any paid order have no row.
-- An order that was given back whole is no purchase: it counts in refunded_sum only. The first order of a day is told from
-- the order before it, purchases first: that costs two thirds of grouping by member and day, and then by member.
WITH k AS (
  SELECT member AS whom, day AS on_day, paid_s, net, refunded, counted,
    LAG(day) OVER (PARTITION BY member ORDER BY counted DESC, day) AS before_day
  FROM heads
  WHERE day <= $as_of
), t AS (
  SELECT whom,
    CAST(SUM(counted) AS BIGINT) AS orders,
    CAST(SUM(CASE WHEN on_day = before_day THEN 0 ELSE counted END) AS BIGINT) AS order_days,
    CAST(SUM(CASE WHEN on_day <= $window_from OR on_day = before_day THEN 0 ELSE counted END) AS BIGINT) AS window_days,
    CAST(SUM(counted * net) AS BIGINT) AS net_sum,
    CAST(SUM(CASE WHEN on_day > $window_from THEN counted * net ELSE 0 END) AS BIGINT) AS window_net,
    CAST(SUM(refunded) AS BIGINT) AS refunded_sum,
    CAST(COALESCE(MIN(CASE WHEN counted = 1 THEN on_day END), 0) AS INTEGER) AS first_day,
    CAST(COALESCE(MAX(CASE WHEN counted = 1 THEN on_day END), 0) AS INTEGER) AS last_day,
    CAST(COALESCE(MIN(CASE WHEN counted = 1 THEN paid_s END), 0) AS BIGINT) AS first_s,
    CAST(COALESCE(MAX(CASE WHEN counted = 1 THEN paid_s END), 0) AS BIGINT) AS last_s
  FROM k
  GROUP BY whom
)
SELECT whom AS who, orders, order_days, window_days, net_sum, window_net, refunded_sum, first_day, last_day, first_s, last_s
FROM t JOIN members ON members.member = t.whom AND members.joined <= $as_of
ORDER BY who
