"""`@fact`: a frozen dataclass with slots and keywords only, made as fast as an ordinary object.

`@dataclass(frozen=True)` sets each field through `object.__setattr__`, by name: twice the time. A run makes
tens of thousands of intents, orders, executions and levels, and a tenth of it went there. A fact is filled
in as a plain object of the same layout and becomes a frozen one at the end. In every other way it is the
dataclass it would have been.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def fact(shape: type[T]) -> type[T]:
    """Make a frozen dataclass of `shape`. Defaults must be immutable: default factories are refused."""
    frozen = dataclass(frozen=True, slots=True, kw_only=True)(shape)
    names = [field.name for field in fields(frozen)]  # type: ignore[arg-type]
    draft = type(f"{shape.__name__}Draft", (), {"__slots__": tuple(names)})
    frozen.__new__ = _maker(frozen, draft)  # type: ignore[method-assign]
    # Without an `__init__` of its own the class takes what `__new__` takes, and is not filled in twice.
    del frozen.__init__
    frozen.__reduce__ = lambda self: (_again, (frozen, {n: getattr(self, n) for n in names}))  # type: ignore[method-assign]
    return frozen


def _maker(frozen: type, draft: type) -> Callable[..., Any]:
    """`__new__` for the class, written out field by field as `dataclass` writes its `__init__`."""
    parameters, names = [], {"new": object.__new__, "draft": draft}
    for field in fields(frozen):
        assert field.default_factory is MISSING, f"{field.name}: a fact has no default factories"
        if field.default is MISSING:
            parameters.append(field.name)
        else:
            names[f"default_{field.name}"] = field.default
            parameters.append(f"{field.name}=default_{field.name}")
    filled = "\n".join(f"    self.{field.name} = {field.name}" for field in fields(frozen))
    text = (
        f"def __new__(cls, *, {', '.join(parameters)}):\n"
        f"    self = new(draft)\n{filled}\n    self.__class__ = cls\n    return self\n"
    )
    exec(text, names)  # noqa: S102 - the names are those of our own fields
    made: Callable[..., Any] = names["__new__"]  # type: ignore[assignment]
    return made


def _again(shape: type[T], values: dict[str, Any]) -> T:
    return shape(**values)
