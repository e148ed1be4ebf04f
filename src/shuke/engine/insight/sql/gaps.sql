-- The rhythm of each living member: number of gaps between order days, sums of their length and of its logarithm.
-- Orders of one day have no gap between them.
WITH g AS (
  SELECT member AS whom, day - LAG(day) OVER (PARTITION BY member ORDER BY day) AS gap
  FROM heads
  WHERE counted = 1 AND day <= $as_of
), t AS (
  SELECT whom, COUNT(gap) AS gaps, CAST(SUM(gap) AS BIGINT) AS gap_days,
    SUM(LN(gap)) AS log_sum, SUM(LN(gap) * LN(gap)) AS log_squares
  FROM g
  WHERE gap > 0
  GROUP BY whom
)
SELECT whom AS who, gaps, gap_days, log_sum, log_squares
FROM t JOIN members ON members.member = t.whom AND members.joined <= $as_of
ORDER BY who
