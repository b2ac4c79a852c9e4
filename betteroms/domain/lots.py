"""Cost kept by lot, first in first out: who bought what is still held, and who gained by what was sold.

A reading beside the average cost that positions are kept by (DECISIONS 5.5): both tie up every cash flow, so
that `gains - fees - cost of what is left == sum(cash - fees)` here as there, and over a position that was
closed they agree. They differ only in which cost leaves with a sale while something stays.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from betteroms.domain.period import ALWAYS, Period

Owner = str | None
"""Who bought a lot: a plan, or whatever else is asked for; None where nobody is named."""


@dataclass(slots=True, kw_only=True)
class Lot:
    """Shares of one token that one owner bought at one moment, as far as they are left.

    `bought` shares were paid with `paid` dollars, fee apart; `size` and `cost` are what is left of them;
    `gross` is what the rest brought above its cost. All in millionths.
    """

    owner: Owner
    opened_at: datetime | None
    bought: int
    paid: int
    size: int
    cost: int
    gross: int = 0


class Lots:
    """The lots of one token, being folded; `gross` and `fees` are by owner, as far as the period goes.

    What was sold goes to those who bought it, oldest lot first; a fee stays with whoever's order paid it.
    A lot that is sold partly gives up its cost in proportion, rounded up. What was sold without having been
    bought (the venue's facts are booked as they come) belongs to the seller and is covered by later buys.
    """

    __slots__ = ("_always", "_lots", "_paid_to", "_period", "closed", "fees", "gross", "short")

    def __init__(self, period: Period = ALWAYS, *, closed: list[Lot] | None = None) -> None:
        """`closed` gathers the lots of which nothing is left, where somebody wants them."""
        self.gross: dict[Owner, int] = {}
        self.fees: dict[Owner, int] = {}
        self.short = 0
        self.closed = closed
        self._lots: deque[Lot] = deque()
        self._paid_to: Sequence[tuple[Owner, int]] = ()
        self._period, self._always = period, period == ALWAYS

    @property
    def left(self) -> Sequence[Lot]:
        """The lots of which something is left, the oldest first."""
        return tuple(self._lots)

    def buy(self, size: int, cash: int, fee: int, at: datetime, owner: Owner) -> None:
        """Take a BUY in; `cash` is below zero. A reversed one has the opposite signs."""
        self._charge(owner, fee, at)
        if size < 0:
            self._take(-size, cash, at, owner, newest=True)
            return
        size, paid = self._cover(size, -cash, at, owner)
        if not size:
            return
        last = self._lots[-1] if self._lots else None
        if last is not None and last.owner == owner and last.opened_at == at and last.size == last.bought:
            last.bought, last.paid = last.bought + size, last.paid + paid
            last.size, last.cost = last.bought, last.paid
            return
        self._lots.append(Lot(owner=owner, opened_at=at, bought=size, paid=paid, size=size, cost=paid))

    def sell(self, size: int, cash: int, fee: int, at: datetime, owner: Owner) -> None:
        """Take a SELL in. A reversed one brings its shares back at what they had been sold for."""
        self._charge(owner, fee, at)
        if size > 0:
            self._take(size, cash, at, owner)
            return
        back, paid = -size, -cash
        back, paid = self._cover(back, paid, at, owner)
        if back:
            self._lots.appendleft(
                Lot(owner=owner, opened_at=at, bought=back, paid=paid, size=back, cost=paid)
            )

    def leave(self, size: int, cash: int, at: datetime) -> None:
        """Take an entry in: a payout goes to those who held; a correction to those who were paid."""
        if size:
            self._paid_to = self._take(size, cash, at, None)
            return
        shares = self._paid_to or ((None, 1),)
        for owner, part in _shared(cash, shares):
            self._gain(owner, part, at)

    def _cover(self, size: int, paid: int, at: datetime, owner: Owner) -> tuple[int, int]:
        """Let shares that come in make up for what was sold and not there; what is left, and its cost."""
        if not self.short:
            return size, paid
        covered = min(size, self.short)
        spent = -(-paid * covered // size)
        self.short -= covered
        self._gain(owner, -spent, at)
        return size - covered, paid - spent

    def _take(
        self, size: int, cash: int, at: datetime, seller: Owner, *, newest: bool = False
    ) -> Sequence[tuple[Owner, int]]:
        """Let shares go for cash, from the oldest lot on; who held how many of them.

        `newest` takes the seller's own latest lots first: a purchase that never was.
        """
        first = self._lots[0] if self._lots and not newest else None
        if first is not None and first.size > size:
            # Nearly every sale is of a part of one lot: the rest of this method, for that case.
            cost = -(-first.cost * size // first.size)
            first.size, first.cost, first.gross = (
                first.size - size,
                first.cost - cost,
                first.gross + cash - cost,
            )
            self._gain(first.owner, cash - cost, at)
            return ((first.owner, size),)
        gone: list[tuple[Lot | None, int, int]] = []
        for lot in self._in_turn(seller, newest=newest):
            if size == 0:
                break
            taken = min(lot.size, size)
            cost = lot.cost if taken == lot.size else -(-lot.cost * taken // lot.size)
            lot.size, lot.cost, size = lot.size - taken, lot.cost - cost, size - taken
            gone.append((lot, taken, cost))
        if size:
            self.short += size
            gone.append((None, size, 0))
        owners = [(seller if lot is None else lot.owner, taken) for lot, taken, _ in gone]
        for (sold, _, cost), (owner, part) in zip(gone, _shared(cash, owners), strict=True):
            self._gain(owner, part - cost, at)
            if sold is not None:
                sold.gross += part - cost
        self._drop_empty(newest=newest)
        return owners

    def _in_turn(self, seller: Owner, *, newest: bool) -> Sequence[Lot] | deque[Lot]:
        if not newest:
            return self._lots
        latest = list(self._lots)[::-1]
        return sorted(latest, key=lambda lot: lot.owner != seller)

    def _drop_empty(self, *, newest: bool) -> None:
        empty: list[Lot] = []
        if newest:
            empty = [lot for lot in self._lots if lot.size == 0]
            self._lots = deque(lot for lot in self._lots if lot.size)
        else:
            while self._lots and self._lots[0].size == 0:
                empty.append(self._lots.popleft())
        if self.closed is not None:
            self.closed.extend(empty)

    def _gain(self, owner: Owner, amount: int, at: datetime) -> None:
        if self._always or at in self._period:
            self.gross[owner] = self.gross.get(owner, 0) + amount

    def _charge(self, owner: Owner, fee: int, at: datetime) -> None:
        if self._always or at in self._period:
            self.fees[owner] = self.fees.get(owner, 0) + fee


def _shared(cash: int, shares: Sequence[tuple[Owner, int]]) -> Sequence[tuple[Owner, int]]:
    """Dollars in proportion to shares, each in turn rounded down, so that the whole is given out."""
    whole, gone, given = sum(size for _, size in shares), 0, 0
    parts: list[tuple[Owner, int]] = []
    for owner, size in shares:
        gone += size
        upto = cash * gone // whole
        parts.append((owner, upto - given))
        given = upto
    return parts
