-- The rhythm of each living member: number of gaps between order days, sums of their length and of its logarithm.
WITH d AS (
  SELECT heads.member AS who, day AS on_day
  FROM heads JOIN members ON members.member = heads.member AND members.joined <= $as_of
  WHERE counted = 1 AND day <= $as_of
  GROUP BY heads.member, day
), g AS (
  SELECT who, on_day - LAG(on_day) OVER (PARTITION BY who ORDER BY on_day) AS gap FROM d
)
SELECT who, COUNT(gap) AS gaps, CAST(SUM(gap) AS BIGINT) AS gap_days,
  SUM(LN(gap)) AS log_sum, SUM(LN(gap) * LN(gap)) AS log_squares
FROM g
WHERE gap IS NOT NULL
GROUP BY who
ORDER BY who
