-- The rhythm of each living member: number of gaps between order days, sums of their length and of its logarithm.
-- Orders of one day have no gap between them.
WITH t AS (
  SELECT member AS whom, COUNT(*) AS gaps, CAST(SUM(day - before_day) AS BIGINT) AS gap_days,
    SUM(LN(day - before_day)) AS log_sum, SUM(LN(day - before_day) * LN(day - before_day)) AS log_squares
  FROM steps
  WHERE before_day > -1000000 AND day <= $as_of
  GROUP BY member
)
SELECT whom AS who, gaps, gap_days, log_sum, log_squares
FROM t JOIN members ON members.member = t.whom AND members.joined <= $as_of
ORDER BY who
