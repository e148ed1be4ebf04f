-- The days on which each buyer bought, with the ones before and after: what rhythm and daily figures are counted from, on any day
-- up to this one. None before or after: a million days away.
WITH d AS (
  SELECT member AS whom, day AS on_day,
    COALESCE(LAG(day) OVER (PARTITION BY member ORDER BY day), -1000000) AS former,
    COALESCE(LEAD(day) OVER (PARTITION BY member ORDER BY day), 1000000) AS later
  FROM days
  WHERE orders > 0
)
SELECT whom AS member, on_day AS day, CAST(former AS INTEGER) AS before_day, CAST(later AS INTEGER) AS next_day
FROM d
