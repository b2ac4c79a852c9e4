"""One venue with all that is around its world: desk, streams, what goes wrong, what is written down."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import State

from betteroms.sandbox.audit import Auditor
from betteroms.sandbox.faults.answers import Application, Receive, Scope, Send
from betteroms.sandbox.faults.application import FaultyApplication
from betteroms.sandbox.faults.chooser import Faults
from betteroms.sandbox.faults.inside import Inside
from betteroms.sandbox.http.desk import Desk
from betteroms.sandbox.life import Life
from betteroms.sandbox.state import Keeper, Part
from betteroms.sandbox.streams.hub import Streams
from betteroms.sandbox.transcript import Transcript, recorded
from betteroms.sandbox.world import World


@dataclass(slots=True, kw_only=True)
class Venue:
    """Found by handlers as `request.app.state.venue`. `endpoints` are what fault scripts may name."""

    world: World
    desk: Desk
    streams: Streams
    faults: Faults
    inside: Inside
    auditor: Auditor
    transcript: Transcript | None
    endpoints: tuple[str, ...]
    keeper: Keeper | None = None

    def keep(self, path: Path, *, life: Life | None = None) -> Keeper:
        """Have the venue written to a file; what is in it already is not read yet (`Keeper.load`)."""
        parts = {
            "desk": Part(self.desk.state, self.desk.restore),
            "faults": Part(self.faults.state, self.faults.resume),
        }
        if life is not None:
            parts["life"] = Part(life.dump, life.restore)
        self.keeper = Keeper(path, self.world, parts)
        return self.keeper


class Surrounded:
    """The venue's application with faults in front and, before them, the transcript: what is served.

    `state` is that of the application inside.
    """

    def __init__(self, application: Application, venue: Venue, state: State) -> None:
        self.venue = venue
        self.state = state
        faulty = FaultyApplication(application, venue.faults, venue.inside, venue.desk.tally)
        self._application: Application = (
            faulty if venue.transcript is None else recorded(faulty, venue.transcript)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


def venue_of(
    world: World,
    *,
    desk: Desk,
    streams: Streams,
    faults: Faults | None = None,
    transcript: Transcript | None = None,
    endpoints: Iterable[str] = (),
) -> Venue:
    """Put a venue together. From here on events are written down and faults strike."""
    if transcript is not None:
        world.listen(transcript.heard)
    faults = faults or Faults()
    return Venue(
        world=world,
        desk=desk,
        streams=streams,
        faults=faults,
        inside=Inside(world, desk, streams, faults),
        auditor=Auditor(world, desk.tally),
        transcript=transcript,
        endpoints=tuple(endpoints),
    )
