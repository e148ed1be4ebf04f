"""What would convince a sceptic: an independent exercise book, storms, planted faults (TRUST.md's T-tests).

`make soak` runs them many times as long: SHUKE_SOAK says how many.
"""

import os

SOAK = int(os.environ.get("SHUKE_SOAK", "1"))
