"""The file of a saved preview: the plan, and what was seen and expected when it was approved."""

import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from betteroms.domain.errors import ApprovalInvalid, ApprovalMismatch, PlanInvalid
from betteroms.domain.money import to_text
from betteroms.domain.order import Order
from betteroms.domain.risk import Limits
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.diff import Action, Change
from betteroms.jobs.preview import Look
from betteroms.jobs.trade import PlanFile
from betteroms.pipeline import World
from betteroms.sources.plan import LIMIT_KEYS, PLAN_BYTES_MAX, content_hash, read_plan

APPROVAL_BYTES_MAX: Final = 8 * PLAN_BYTES_MAX
"""A saved preview holds the plan and, for each instruction, several times as much."""
AGE_MAX: Final = timedelta(minutes=15)
KIND: Final = "betteroms-approval"
PROBLEMS_MAX: Final = 5
_COUNTS: Final = frozenset({"run_orders_max", "open_positions_max"})
"""Caps that are plain numbers; the others are dollars, prices and spans."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class ApprovedOrder(_Part):
    """What was expected to become of one instruction; amounts as exact text, None where not known."""

    key: str
    order_id: str
    line: int | None
    market_id: str
    token_id: str
    outcome: str
    side: str
    type: str
    time_in_force: str
    post_only: bool
    action: Action
    size: str | None
    dollars: str | None
    limit_price: str | None
    status: str
    code: str | None
    reason: str | None
    filled_size: str


class SeenBook(_Part):
    """A book of that time, by content."""

    token_id: str
    book_id: str
    hash_check: str
    best_bid: str | None
    best_ask: str | None


class OpenOrder(_Part):
    """An order of ours that was open in a token that the plan touches."""

    order_id: str
    token_id: str
    side: str
    limit_price: str | None
    remaining: str


class SeenAccount(_Part):
    """The account as far as the plan touches it; `held` is shares by token, zero left out."""

    cash: str
    free: str
    held: dict[str, str]
    open_orders: list[OpenOrder]


class Approval(_Part):
    """A saved preview. `plan` is the file's text, so that this file is enough; times are UTC."""

    schema_version: Literal[1] = 1
    kind: Literal["betteroms-approval"] = KIND
    saved_at: AwareDatetime
    expires_at: AwareDatetime
    engine_version: str
    mode: Mode
    plan_id: str
    scheduled_at: AwareDatetime
    plan_file: str
    content_hash: str
    plan: str
    limits: dict[str, str]
    account: SeenAccount
    orders: list[ApprovedOrder]
    books: list[SeenBook]

    def times(self) -> dict[str, str]:
        """When it was saved, and until when it can be carried out, for JSON."""
        return {"savedAt": told.instant(self.saved_at), "expiresAt": told.instant(self.expires_at)}

    def source(self) -> PlanFile:
        """The plan, as if it were read from its file.

        Raises:
            PlanInvalid: this version does not take it.
        """
        body = self.plan.encode()
        return PlanFile(plan=read_plan(body, self.plan_file), name=self.plan_file, body=body)


def approve(seen: Look) -> Approval:
    """What a look at the plan saw and expects, to be saved."""
    run, passage = seen.run, seen.walked.passage
    assert run.plan_id is not None, "a plan has a planId"
    assert run.content_hash is not None, "a plan has a content hash"
    assert run.plan_file is not None, "a plan comes from a file"
    return Approval(
        saved_at=run.now,
        expires_at=run.now + AGE_MAX,
        engine_version=run.engine_version,
        mode=run.mode,
        plan_id=run.plan_id,
        scheduled_at=run.scheduled_at,
        plan_file=run.plan_file,
        content_hash=run.content_hash,
        plan=seen.source.body.decode(),
        limits=_limits(passage.pipeline.limits),
        account=account(seen),
        orders=[_order(change) for change in seen.changes],
        books=_books(passage.world),
    )


def account(seen: Look) -> SeenAccount:
    """The account before the plan, as far as it touches it."""
    touched = {change.order.intent.token_id for change in seen.changes}
    before, resting = seen.before, seen.walked.passage.snapshot.open_orders
    return SeenAccount(
        cash=to_text(before.cash),
        free=to_text(before.cash - before.reserved_cash),
        held={token: to_text(size) for token, size in sorted(before.held.items()) if token in touched},
        open_orders=[_open_order(order) for order in resting if order.intent.token_id in touched],
    )


def _open_order(order: Order) -> OpenOrder:
    return OpenOrder(
        order_id=order.order_id,
        token_id=order.intent.token_id,
        side=order.intent.side.value,
        limit_price=told.maybe_text(order.limit_price),
        remaining=to_text(order.remaining),
    )


def _order(change: Change) -> ApprovedOrder:
    order, intent = change.order, change.order.intent
    return ApprovedOrder(
        key=intent.key,
        order_id=order.order_id,
        line=intent.line,
        market_id=intent.market_id,
        token_id=intent.token_id,
        outcome=intent.outcome,
        side=intent.side.value,
        type=intent.order_type.value,
        time_in_force=intent.time_in_force.value,
        post_only=intent.post_only,
        action=change.action,
        **told.amount(order.amount),
        limit_price=told.maybe_text(order.limit_price),
        status=order.status.value,
        code=order.code,
        reason=order.reason or None,
        filled_size=to_text(order.filled_size),
    )


def _books(world: World) -> list[SeenBook]:
    return [
        SeenBook(
            token_id=token,
            book_id=book.book_id,
            hash_check=book.hash_check.value,
            best_bid=told.maybe_text(book.best_bid),
            best_ask=told.maybe_text(book.best_ask),
        )
        for token, book in world.books.items()
    ]


def _limits(limits: Limits) -> dict[str, str]:
    """The caps in force, by the names that plans give them."""
    found = {}
    for name, key in LIMIT_KEYS.items():
        value = getattr(limits, name)
        if isinstance(value, timedelta):
            found[key] = str(value // timedelta(seconds=1))
        elif value is not None:
            found[key] = str(value) if name in _COUNTS else to_text(value)
    return found


def written(approval: Approval) -> bytes:
    """The file, with a checksum over all the rest of it."""
    document = approval.model_dump(mode="json", by_alias=True)
    whole = {**document, "checksum": _checksum(document)}
    return f"{json.dumps(whole, indent=2)}\n".encode()


def read(path: Path) -> Approval:
    """The saved preview in this file, as it was written.

    Raises:
        ApprovalInvalid: it is no saved preview, or cannot be read.
        ApprovalMismatch: it was altered since it was saved.
    """
    try:
        with path.open("rb") as file:
            body = file.read(APPROVAL_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no possible name of a file"
        raise ApprovalInvalid(f"{path} cannot be read: {why}") from None
    if len(body) > APPROVAL_BYTES_MAX:
        raise ApprovalInvalid(f"{path} is larger than {APPROVAL_BYTES_MAX:,} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ApprovalInvalid(f"{path} is no saved preview: it is not JSON") from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise ApprovalInvalid(f'{path} is no saved preview: there is no "kind": "{KIND}"')
    return _checked(path, document)


def _checked(path: Path, document: dict[str, Any]) -> Approval:
    """The same as what was saved: shape, plan and all the rest of it."""
    checksum = document.pop("checksum", None)
    try:
        approval = Approval.model_validate(document)
    except ValidationError as wrong:
        places = [".".join(map(str, error["loc"])) + f": {error['msg']}" for error in wrong.errors()]
        more = len(places) - PROBLEMS_MAX
        told = "; ".join(places[:PROBLEMS_MAX]) + (f"; and {more} more" if more > 0 else "")
        raise ApprovalInvalid(f"{path} is no saved preview that this version reads: {told}") from None
    problems = _altered(approval)
    if not problems and checksum != _checksum(document):
        problems = ["its checksum is not that of what it says"]
    if problems:
        raise ApprovalMismatch(f"{path} was altered since it was saved", problems)
    return approval


def _altered(approval: Approval) -> list[str]:
    try:
        found = content_hash(approval.source().plan)
    except PlanInvalid as wrong:
        return [f"its plan is none any more: {problem}" for problem in wrong.problems]
    if found != approval.content_hash:
        return [
            f"its plan is not the one that was approved: contentHash was {approval.content_hash[:12]}, "
            f"is {found[:12]}"
        ]
    return []


def _checksum(document: dict[str, Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()
