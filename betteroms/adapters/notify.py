"""Messages to the operator's phone or mailbox, through whichever services apprise knows."""

import logging
import threading
import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from betteroms.domain.errors import ExtraMissing
from betteroms.domain.secret import Secret
from betteroms.ports.journal import Journal

SEND_SECONDS_MAX: Final = 15.0
"""So long all services together may take; whoever has not answered then is left behind."""
REASON_LENGTH_MAX: Final = 200


class Nobody:
    """Nobody wants to be told."""

    def tell(self, title: str, body: str, *, severity: str) -> None:
        """Say nothing."""


class _Listener(logging.Handler):
    """What apprise says went wrong, by the thread in which it did; it has no other way to tell."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: dict[int | None, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.setdefault(record.thread, record.getMessage())


class Services:
    """Keeps the promise of `ports.Notifier`: each message goes to every service at once."""

    def __init__(
        self,
        urls: Secret,
        *,
        journal: Journal,
        secrets: Collection[str] = (),
        seconds_max: float = SEND_SECONDS_MAX,
    ) -> None:
        self._urls = urls
        self._journal = journal
        self._secrets = secrets
        self._seconds_max = seconds_max

    def tell(self, title: str, body: str, *, severity: str) -> None:
        """Send it; what could not be sent is in the journal."""
        try:
            problems = self.deliver(title, body, severity=severity)
        except ExtraMissing as missing:
            problems = [str(missing)]
        except Exception as fault:  # the code of a hundred services: no mistake in it may stop a run
            problems = [f"{type(fault).__name__} in apprise"]
        for problem in problems:
            self._journal.note("notification_failed", level="warning", title=title, reason=problem)

    def deliver(self, title: str, body: str, *, severity: str) -> list[str]:
        """Send it; what went wrong, a line for each service that did not take it.

        `severity` is info, success, warning or failure.

        Raises:
            ExtraMissing: apprise is not installed.
        """
        try:
            import apprise
        except ImportError as error:
            raise ExtraMissing("notify", "messages need apprise") from error
        listener = _Listener()
        logger = logging.getLogger("apprise")
        logger.addHandler(listener)
        # Its words are for us: they may hold addresses, and would land on the operator's screen.
        propagated, logger.propagate = logger.propagate, False
        try:
            with warnings.catch_warnings():
                # It imports the code of all its services now, and what that imports may be out of date.
                warnings.simplefilter("ignore", DeprecationWarning)
                problems, sendings = self._begun(apprise, title, body, severity)
            return problems + self._ended(sendings, listener)
        finally:
            logger.removeHandler(listener)
            logger.propagate = propagated

    def _begun(
        self, apprise: Any, title: str, body: str, severity: str
    ) -> tuple[list[str], Sequence["_Sending"]]:
        problems: list[str] = []
        sendings: list[_Sending] = []
        asset = apprise.AppriseAsset(app_id="BetterOMS", app_desc="BetterOMS", app_url="")
        for number, url in enumerate(self._urls.reveal().split(), start=1):
            service = apprise.Apprise.instantiate(url, asset=asset)
            if service is None:
                scheme = url.partition("://")[0]
                problems.append(f"number {number}, {scheme}://…: apprise knows no service with such a URL")
                continue
            words = {"title": title, "body": body, "notify_type": severity, "body_format": "text"}
            sendings.append(_Sending(f"number {number}, {service.service_name}", service, words))
        return problems, sendings

    def _ended(self, sendings: Sequence["_Sending"], listener: _Listener) -> list[str]:
        """Wait for all of them together, and tell which did not make it."""
        until = time.monotonic() + self._seconds_max
        problems = []
        for sending in sendings:
            sending.thread.join(max(0.0, until - time.monotonic()))
            if sending.thread.is_alive():
                problems.append(f"{sending.place}: no answer in {self._seconds_max:g} s")
            elif not sending.taken:
                heard = listener.heard.get(sending.thread.ident) or sending.fault or "it was not taken"
                problems.append(f"{sending.place}: {self._masked(heard)[:REASON_LENGTH_MAX]}")
        return problems

    def _masked(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return " ".join(text.split())


class _Sending:
    """One message on its way to one service, in a thread that nobody has to wait for."""

    def __init__(self, place: str, service: Any, words: Mapping[str, str]) -> None:
        self.place = place
        self.taken = False
        self.fault = ""
        self._service = service
        self._words = words
        self.thread = threading.Thread(target=self._send, name=place, daemon=True)
        self.thread.start()

    def _send(self) -> None:
        try:
            self.taken = bool(self._service.notify(**self._words))
        except Exception as fault:  # told by whoever waits for us
            self.fault = type(fault).__name__
