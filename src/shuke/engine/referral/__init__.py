"""Members who bring friends 老带新: codes, whether a friend counts, what is due to both, what looks wrong, the tree. Pure.

`judging` says of one bond what its orders make of it; `ranking` folds all bonds of one referrer, oldest success first;
`watching` finds what a person should look at; `tree` adds up what branches are worth. None of them knows in what order the
facts arrived: the same facts give the same answers (docs/algorithms/referral.md).
"""
