"""`notify`: whether messages to the operator arrive."""

from betteroms.cli import render
from betteroms.cli.journal import open_journal
from betteroms.cli.options import Json, command, group

app = group("Messages to your phone or mailbox.")


@command(
    app,
    "test",
    example="betteroms notify test",
    does="Send a test message to every service of BETTEROMS_NOTIFY_URLS.",
    more="Exit code 6 and a line for each service that did not take it.",
)
def send(as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.cli.progress import Progress
    from betteroms.domain.errors import NotificationFailed
    from betteroms.settings import load

    settings, watch = load(), render.Stopwatch(wiring.clock().now())
    settings.require("BETTEROMS_NOTIFY_URLS")
    with open_journal(settings) as journal, Progress() as progress:
        progress.show("sending")
        services = wiring.services(settings, journal)
        assert services is not None, "its setting was insisted on"
        problems = services.deliver(
            "BetterOMS: a test", "If you can read this, notifications arrive.", severity="info"
        )
    if problems:
        raise NotificationFailed(problems)
    assert settings.notify_urls is not None
    count = len(settings.notify_urls.reveal().split())
    if as_json:
        render.document(
            "notify test", {"sent": count, "events": list(settings.notify_events)}, watch.timing()
        )
    else:
        words = f"sent to {count} service{'s' if count != 1 else ''}"
        render.text(f"{words}; messages are about {', '.join(settings.notify_events)}")
