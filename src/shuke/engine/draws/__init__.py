"""Lucky draws that anybody can check afterwards: stated odds and stock, a seed that was committed to, a chain over all tickets.

docs/algorithms/draws.md is the specification; what is here needs no database and no secret beyond the seed.
"""

from shuke.engine.draws.drawing import Outcome, commitment, drawn, first_link, link, settle
from shuke.engine.draws.odds import Fit, fit
from shuke.engine.draws.terms import DrawInvalid, DrawTerms, Prize, canonical, read_terms
from shuke.engine.draws.verify import Finding, Verdict, verify

__all__ = [
    "DrawInvalid",
    "DrawTerms",
    "Finding",
    "Fit",
    "Outcome",
    "Prize",
    "Verdict",
    "canonical",
    "commitment",
    "drawn",
    "first_link",
    "fit",
    "link",
    "read_terms",
    "settle",
    "verify",
]
