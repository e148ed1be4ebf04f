-- From one order day to the next, each living member is active for a while, then gone, and a repeat buyer as long as two
-- order days lie in the window. Each state is a span of days that begins on one day and is over on another; how many begin and
-- (negative) are over on each day gives every daily figure in one pass, without joining members to days.
WITH m AS (
  SELECT day AS on_day, before_day, CASE WHEN next_day > $as_of THEN 1000000 ELSE next_day END AS later_day
  FROM steps JOIN members ON members.member = steps.member AND members.joined <= $as_of
  WHERE day <= $as_of
), s AS (
  SELECT 1 AS kind, on_day AS from_day, COUNT(*) AS begun FROM m GROUP BY on_day
  UNION ALL
  SELECT 1 AS kind, LEAST(later_day, on_day + $active_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  GROUP BY LEAST(later_day, on_day + $active_days)
  UNION ALL
  SELECT 2 AS kind, on_day + $active_days AS from_day, COUNT(*) AS begun
  FROM m
  WHERE later_day > on_day + $active_days
  GROUP BY on_day + $active_days
  UNION ALL
  SELECT 2 AS kind, LEAST(later_day, on_day + 2 * $active_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  WHERE later_day > on_day + $active_days
  GROUP BY LEAST(later_day, on_day + 2 * $active_days)
  UNION ALL
  SELECT 3 AS kind, on_day AS from_day, COUNT(*) AS begun FROM m GROUP BY on_day
  UNION ALL
  SELECT 3 AS kind, LEAST(later_day, on_day + $window_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  GROUP BY LEAST(later_day, on_day + $window_days)
  UNION ALL
  SELECT 4 AS kind, on_day AS from_day, COUNT(*) AS begun FROM m WHERE before_day + $window_days > on_day GROUP BY on_day
  UNION ALL
  SELECT 4 AS kind, LEAST(later_day, before_day + $window_days) AS from_day, 0 - COUNT(*) AS begun
  FROM m
  WHERE before_day + $window_days > on_day
  GROUP BY LEAST(later_day, before_day + $window_days)
)
SELECT kind, from_day, 1000000 AS to_day, CAST(SUM(begun) AS BIGINT) AS spans
FROM s
GROUP BY kind, from_day
ORDER BY kind, from_day
