"""Plans in a directory: the files that lie in it, not those in directories below it."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from betteroms.domain.errors import PlanInvalid
from betteroms.ports import FoundPlan
from betteroms.sources.plan import plan_bytes
from betteroms.sources.plan_files import PLANS_MAX, complaint, is_plan_file, name_shown, too_many


class PlanDirectory:
    """Keeps the promises of `ports.PlanPlace` on a local directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """See `ports.PlanPlace.name`."""
        return str(self._path)

    def plans(self) -> Iterable[FoundPlan]:
        """See `ports.PlanPlace.plans`."""
        for entry in sorted(self._entries(), key=lambda entry: entry.name):
            if (found := self._found(entry)) is not None:
                yield found

    def _entries(self) -> list["os.DirEntry[str]"]:
        entries: list[os.DirEntry[str]] = []
        try:
            for entry in self._listed():
                entries.append(entry)
                if len(entries) > PLANS_MAX:
                    raise too_many(self.name)
        except NotADirectoryError:
            raise complaint(self.name, "is a file, not a directory of plans") from None
        except FileNotFoundError:
            raise complaint(self.name, "does not exist") from None
        except OSError as fault:
            raise complaint(self.name, f"cannot be listed: {fault.strerror or fault}") from None
        except ValueError:
            raise complaint(self.name, "is no possible name of a directory") from None
        return entries

    def _listed(self) -> "Iterator[os.DirEntry[str]]":
        with os.scandir(self._path) as entries:
            yield from (entry for entry in entries if is_plan_file(entry.name))

    def _found(self, entry: "os.DirEntry[str]") -> FoundPlan | None:
        """The file of this entry; None for a directory, whatever its name."""
        path = self._path / entry.name
        try:
            mode = entry.stat().st_mode
        except OSError:
            mode = stat.S_IFREG  # such as a link that leads nowhere: reading it says what is wrong
        if stat.S_ISDIR(mode):
            return None
        name, file = name_shown(str(path)), name_shown(entry.name)
        try:
            if file != entry.name:
                raise complaint(name, "has a name that cannot be printed")
            if not stat.S_ISREG(mode):
                # A pipe would keep us waiting for whoever writes into it.
                raise complaint(name, "is no ordinary file")
            return FoundPlan(name=name, file=file, body=plan_bytes(path))
        except PlanInvalid as fault:
            return FoundPlan(name=name, file=file, fault=fault)
