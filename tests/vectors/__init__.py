"""Known answers: vectors that the venue's own clients made, and that its contracts judged, some of them.

Made for testing, with test keys only: signed orders with their ids (`order_hash_vectors`), orders and matches
as the exchange contract judged and settled them on a local chain (`orders_on_chain`, `matches_on_chain`), a
deposit wallet with a session key (`deposit_wallet`), approvals (`allowances`), amounts over ticks and sizes
(`amounts`), and in `shapes/` the form of requests and answers.

Recordings of the venue are no part of the project; tests that want them look beside the checkout.
"""

import json
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
RECORDINGS: Final = Path(__file__).parents[3] / "shared" / "data"


def vector(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text())


def shape(name: str) -> Any:
    """A sample of a request or an answer of the venue."""
    return json.loads((HERE / "shapes" / f"{name}.json").read_text())


def generated(name: str) -> Any:
    """A file of generated vectors among the recordings; None where there are none beside this checkout."""
    path = RECORDINGS / "vectors" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None
