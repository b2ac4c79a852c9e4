"""The composition root: settings and mode become a desk; the only room that names adapters.

Adapters are imported where they are needed: a paper run over recorded books loads no HTTP, and nothing
here loads SQLAlchemy unless there is a migration to run.
"""

from betteroms.wiring.checks import Ground
from betteroms.wiring.database import (
    backup,
    conninfo,
    database,
    database_status,
    database_url,
    embedded_server,
    records,
    stored_plans,
    switch,
    upgrade,
)
from betteroms.wiring.desks import MODES, Payloads, bench, desk, membership, nudges
from betteroms.wiring.surroundings import (
    clock,
    cron_surroundings,
    crontab,
    export_sink,
    herald,
    journal,
    journal_lines,
    notifier,
    pictures,
    plan_places,
    prepare_logs,
    services,
    whole_file,
)

__all__ = [
    "MODES",
    "Ground",
    "Payloads",
    "backup",
    "bench",
    "clock",
    "conninfo",
    "cron_surroundings",
    "crontab",
    "database",
    "database_status",
    "database_url",
    "desk",
    "embedded_server",
    "export_sink",
    "herald",
    "journal",
    "journal_lines",
    "membership",
    "notifier",
    "nudges",
    "pictures",
    "plan_places",
    "prepare_logs",
    "records",
    "services",
    "stored_plans",
    "switch",
    "upgrade",
    "whole_file",
]
