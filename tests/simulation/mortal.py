"""Ports that may be a process's last: each call of one is a moment to die at."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from betteroms.jobs.desk import Desk

PORTS = ("ledger", "catalog", "market_data", "archive", "clock")


class Death(BaseException):
    """The end of a process; nobody may catch it and go on."""


@dataclass
class Fate:
    """When to die. A dead process has no more effects; an interrupted one may still tidy up."""

    moment: int | None = None
    after: bool = False
    dead_for_good: bool = True
    met: list[str] = field(default_factory=list)
    over: bool = False

    def __call__(self, name: str, effect: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.begin(name)
        answer = effect(*args, **kwargs)
        self.end()
        return answer

    def begin(self, name: str) -> None:
        """An effect is about to happen. Raises Death where it does not."""
        if self.over:
            if self.dead_for_good:
                raise Death
            return
        self.met.append(name)
        if len(self.met) - 1 == self.moment and not self.after:
            self._strike()

    def end(self) -> None:
        """The effect has happened. Raises Death where nobody hears of it."""
        if not self.over and len(self.met) - 1 == self.moment and self.after:
            self._strike()

    def _strike(self) -> None:
        self.over = True
        raise Death


class Mortal:
    """A port whose every call may be the last."""

    def __init__(self, name: str, port: Any, fate: Fate) -> None:
        self._name, self._port, self._fate = name, port, fate

    def __getattr__(self, method: str) -> Any:
        effect = getattr(self._port, method)
        if not callable(effect):
            return effect
        return lambda *args, **kwargs: self._fate(f"{self._name}.{method}", effect, *args, **kwargs)


def mortal(fate: Fate) -> Callable[[Desk], Desk]:
    """Put every port of a desk in the hands of fate."""

    def change(desk: Desk) -> Desk:
        ports: dict[str, Any] = {name: Mortal(name, getattr(desk, name), fate) for name in PORTS}
        make = desk.executor
        ports["executor"] = lambda *world: Mortal("executor", make(*world), fate)
        return replace(desk, **ports)

    return change
