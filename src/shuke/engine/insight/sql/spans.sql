-- From one order day to the next, each living member is active for a while, then gone, and a repeat buyer as long as two
-- order days lie in the window. Each state is a span of days that begins on one day and is over on another; how many begin and
-- (negative) are over on each day gives every daily figure in one pass, without joining members to days.
WITH n AS (
  SELECT member AS whom, day AS on_day,
    COALESCE(LAG(day) OVER (PARTITION BY member ORDER BY day), -1000000) AS before_day
  FROM heads
  WHERE counted = 1 AND day <= $as_of
), m AS (
  SELECT on_day, before_day, COALESCE(LEAD(on_day) OVER (PARTITION BY whom ORDER BY on_day), 1000000) AS next_day
  FROM n JOIN members ON members.member = n.whom AND members.joined <= $as_of
  WHERE before_day < on_day
), s AS (
  SELECT 1 AS kind, on_day AS from_day, COUNT(*) AS begun FROM m GROUP BY on_day
  UNION ALL
  SELECT 1 AS kind, LEAST(next_day, on_day + $active_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  GROUP BY LEAST(next_day, on_day + $active_days)
  UNION ALL
  SELECT 2 AS kind, on_day + $active_days AS from_day, COUNT(*) AS begun
  FROM m
  WHERE next_day > on_day + $active_days
  GROUP BY on_day + $active_days
  UNION ALL
  SELECT 2 AS kind, LEAST(next_day, on_day + 2 * $active_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  WHERE next_day > on_day + $active_days
  GROUP BY LEAST(next_day, on_day + 2 * $active_days)
  UNION ALL
  SELECT 3 AS kind, on_day AS from_day, COUNT(*) AS begun FROM m GROUP BY on_day
  UNION ALL
  SELECT 3 AS kind, LEAST(next_day, on_day + $window_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  GROUP BY LEAST(next_day, on_day + $window_days)
  UNION ALL
  SELECT 4 AS kind, on_day AS from_day, COUNT(*) AS begun FROM m WHERE before_day + $window_days > on_day GROUP BY on_day
  UNION ALL
  SELECT 4 AS kind, LEAST(next_day, before_day + $window_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  WHERE before_day + $window_days > on_day
  GROUP BY LEAST(next_day, before_day + $window_days)
)
SELECT kind, from_day, 1000000 AS to_day, CAST(SUM(begun) AS BIGINT) AS spans
FROM s
GROUP BY kind, from_day
ORDER BY kind, from_day
