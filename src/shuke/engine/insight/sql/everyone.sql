-- The living members of the day.
SELECT member AS who, joined AS joined_day, home_store
FROM members
WHERE joined <= $as_of
ORDER BY who
