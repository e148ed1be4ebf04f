-- Purchases of living members within the window, for the habits of their profile.
SELECT heads.member AS who, heads.day AS on_day, heads.paid_s AS at_second, heads.store AS at_store, heads.net AS paid
FROM heads JOIN members ON members.member = heads.member
WHERE heads.counted = 1 AND heads.day > $window_from AND heads.day <= $as_of
