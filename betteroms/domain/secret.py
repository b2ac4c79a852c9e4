"""Text that shows itself only when asked by name: keys, passwords and URLs that hold them."""

from typing import NoReturn, Self


class Secret:
    """A secret text; equal to another with the same text.

    No dataclass, since `dataclasses.asdict` would look inside; and it refuses to be pickled, since a
    pickle is a file somebody finds.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __format__(self, _: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a Secret is never pickled; hand on what was made with it")
