-- The days on which each living member bought, and those on which only returns came to nothing (bought 0).
SELECT heads.member AS who, day AS on_day, CAST(SUM(counted) AS BIGINT) AS bought, CAST(SUM(net) AS BIGINT) AS net_sum
FROM heads JOIN members ON members.member = heads.member
WHERE day <= $as_of
GROUP BY heads.member, day
ORDER BY who, on_day
