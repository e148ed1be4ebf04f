-- The days on which each living member bought, and those on which only returns came to nothing (bought 0). What was given back whole
-- counts 0, as its order says.
SELECT days.member AS who, day AS on_day, orders AS bought, net AS net_sum
FROM days JOIN members ON members.member = days.member
WHERE day <= $as_of
ORDER BY who, on_day
