-- As the analysis `spans`, by part of the shop: how long each living member is active, gone, and a repeat buyer there.
WITH d AS (
  SELECT CASE WHEN $by_member = 1 THEN COALESCE(who_units.unit, 0) ELSE COALESCE(store_units.unit, 0) END AS part,
    heads.member AS who, day AS on_day
  FROM heads JOIN members ON members.member = heads.member AND members.joined <= $as_of
    LEFT JOIN who_units ON who_units.member = members.member
    LEFT JOIN store_units ON store_units.store = heads.store
  WHERE counted = 1 AND day <= $as_of
  GROUP BY CASE WHEN $by_member = 1 THEN COALESCE(who_units.unit, 0) ELSE COALESCE(store_units.unit, 0) END, heads.member, day
), n AS (
  SELECT part, on_day, COALESCE(LAG(on_day) OVER (PARTITION BY part, who ORDER BY on_day), -1000000) AS before_day,
    COALESCE(LEAD(on_day) OVER (PARTITION BY part, who ORDER BY on_day), 1000000) AS next_day
  FROM d
), s AS (
  SELECT part, 1 AS kind, on_day AS from_day, LEAST(next_day, on_day + $active_days) AS to_day FROM n
  UNION ALL
  SELECT part, 2 AS kind, on_day + $active_days AS from_day, LEAST(next_day, on_day + 2 * $active_days) AS to_day FROM n
  UNION ALL
  SELECT part, 3 AS kind, on_day AS from_day, LEAST(next_day, on_day + $window_days) AS to_day FROM n
  UNION ALL
  SELECT part, 4 AS kind, on_day AS from_day, LEAST(next_day, before_day + $window_days) AS to_day FROM n
)
SELECT part AS in_part, kind, from_day, to_day, COUNT(*) AS spans
FROM s
WHERE to_day > from_day
GROUP BY part, kind, from_day, to_day
ORDER BY in_part, kind, from_day, to_day
