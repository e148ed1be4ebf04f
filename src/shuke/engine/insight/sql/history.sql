-- What the figures rest on.
SELECT COUNT(*) AS orders, CAST(COALESCE(SUM(line_count), 0) AS BIGINT) AS order_lines,
  CAST(COALESCE(MIN(day), 0) AS INTEGER) AS first_day, CAST(COALESCE(MAX(day), 0) AS INTEGER) AS last_day
FROM heads
WHERE day <= $as_of
