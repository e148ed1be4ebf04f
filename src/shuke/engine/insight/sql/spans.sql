-- From one order day to the next, each living member is active for a while, then gone, and a repeat buyer as long as two
-- order days lie in the window. Each state is a span of days [from_day, to_day); counting starts and ends of spans gives
-- every daily figure in one pass, without joining members to days.
WITH d AS (
  SELECT heads.member AS who, day AS on_day
  FROM heads JOIN members ON members.member = heads.member AND members.joined <= $as_of
  WHERE counted = 1 AND day <= $as_of
  GROUP BY heads.member, day
), n AS (
  SELECT on_day, COALESCE(LAG(on_day) OVER (PARTITION BY who ORDER BY on_day), -1000000) AS before_day,
    COALESCE(LEAD(on_day) OVER (PARTITION BY who ORDER BY on_day), 1000000) AS next_day
  FROM d
), s AS (
  SELECT 1 AS kind, on_day AS from_day, LEAST(next_day, on_day + $active_days) AS to_day FROM n
  UNION ALL
  SELECT 2 AS kind, on_day + $active_days AS from_day, LEAST(next_day, on_day + 2 * $active_days) AS to_day FROM n
  UNION ALL
  SELECT 3 AS kind, on_day AS from_day, LEAST(next_day, on_day + $window_days) AS to_day FROM n
  UNION ALL
  SELECT 4 AS kind, on_day AS from_day, LEAST(next_day, before_day + $window_days) AS to_day FROM n
)
SELECT kind, from_day, to_day, COUNT(*) AS spans
FROM s
WHERE to_day > from_day
GROUP BY kind, from_day, to_day
ORDER BY kind, from_day, to_day
