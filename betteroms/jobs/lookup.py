"""The one run or order that a person means by a name or by the beginning of an id."""

from betteroms.domain.errors import Ambiguous, NotFound
from betteroms.records import PREFIX_LENGTH_MIN, OrderRecord, Records, RunRecord


def the_run(records: Records, name: str) -> RunRecord:
    """The run of this planId, or whose id begins so.

    Raises:
        NotFound: there is none.
        Ambiguous: there are several; all of them named.
    """
    found = records.runs_named(name)
    if len(found) == 1:
        return found[0]
    if found:
        candidates = [f"{run.run_id}  {run.mode}  {run.plan_id or run.kind}" for run in found]
        raise Ambiguous(f"{name!r} names more than one run", candidates)
    if len(name.replace("-", "")) < PREFIX_LENGTH_MIN:
        needed = f"of an id the first {PREFIX_LENGTH_MIN} characters are needed, or more"
        raise NotFound([f"no run has the planId {name!r}; {needed}"])
    raise NotFound([f"no run has the planId {name!r}, or an id that begins so"])


def the_order(records: Records, prefix: str) -> OrderRecord:
    """The order whose id begins so.

    Raises:
        NotFound: there is none.
        Ambiguous: the prefix is too short, or fits several; those are named.
    """
    if len(prefix.replace("-", "")) < PREFIX_LENGTH_MIN:
        raise Ambiguous(
            f"{prefix!r} is too short to name an order: give the first {PREFIX_LENGTH_MIN} characters "
            "of its id, or more",
            (),
        )
    found = records.orders_named(prefix)
    if len(found) == 1:
        return found[0]
    if found:
        candidates = [
            f"{record.order.order_id}  {record.order.intent.side} {record.order.intent.outcome}, "
            f"{record.market_name}"
            for record in found
        ]
        raise Ambiguous(f"{prefix!r} is the beginning of more than one order's id", candidates)
    raise NotFound([f"no order has an id that begins with {prefix!r}"])
