"""What would convince a sceptic. Every harness first sees a fault that was planted for it.

| T | what | where |
|---|---|---|
| 1, 2, 4, 5, 14 | many tills at once: one balance, one hold, one key; rings; refunds; two clocks | test_storms.py |
| 4, 27 | everything a till can ask: sent again, its answer lost, all at once | test_sent_again.py, test_everything_at_once.py, deeds.py |
| 3, 9 | a bank that adds up while tills, connections and the database server are killed | test_bank.py |
| 6 | the books step by step against an exercise book that is kept without them | test_model.py, test_exercise_book.py |
| 7 | faults planted in the source: the tests are tested | test_mutants.py, mutants.py |
| 8 | the API's processes are killed; what had no answer has one outcome | test_killed_server.py |
| 10, 11 | a power cut; a disk that fails at any write, a connection lost at any statement of any request | test_failing_disk.py, test_lost_connections.py |
| 12 | a day of orders in any order, twice, refunds first | test_day.py |
| 13 | midnights, month ends, leap days, changed clocks, tills whose clocks differ | test_clock.py |
| 26 | settlement closed under load | test_settlement.py |

The numbers are those of TRUST's plan; 25 (tampering) stands with `verify` in tests/loyalty/test_verify.py. `make soak` runs all of it,
larger and with other seeds (soak.py; sizes and results in docs/soak.md).
"""

import os
import random

SOAK = int(os.environ.get("SHUKE_SOAK", "0"))  # per cent of the plan's nightly size; 0: what CI runs
SEED = int(os.environ.get("SHUKE_SEED", "0"))  # what chance begins with; whoever found something tells it


def size(ci: int, whole: int) -> int:
    """How many of something: `ci` on every change, `whole` at SHUKE_SOAK=100, in proportion between and beyond."""
    return max(ci, whole * SOAK // 100)


def chance(name: str | int) -> random.Random:
    """Another one for each name and seed, the same one whenever both are the same."""
    return random.Random(f"{name} {SEED}")
