"""The `betteroms` command: words in, words out, an exit code.

Nothing heavy is imported before a command needs it, so that help comes at once.
"""

import errno
import gc
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Final, NoReturn

import typer

from betteroms import __version__
from betteroms.cli import (
    allowances,
    canceling,
    convert,
    credentials,
    cron,
    db,
    doctor,
    exits,
    export,
    journal,
    keys,
    live,
    logs,
    notify,
    orders,
    plans,
    polling,
    portfolio,
    positions,
    report,
    risk,
    rules,
    runs,
    sandbox,
    scheduled,
    schema,
    trade,
)
from betteroms.cli.exits import Exit
from betteroms.cli.faults import say, tell

# Typer keeps click's classes to itself, but for the one that is meant to be raised.
ClickException: Final[type[Exception]] = typer.BadParameter.__mro__[2]

FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EIO})
"""What a write to our own output can run into; files and sockets are told of by their adapters."""

app = typer.Typer(
    help="Trade plans in, exact books out: an order-management system for Polymarket.",
    epilog="Exit codes: docs/commands.md. Settings: docs/settings.md. Times are UTC.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
trade.add_to(app)
scheduled.add_to(app)
polling.add_to(app)
app.add_typer(plans.app, name="plans")
app.add_typer(runs.app, name="runs")
app.add_typer(orders.app, name="orders")
orders.add_to(app)
canceling.add_to(orders.app)
app.add_typer(positions.app, name="positions")
app.add_typer(portfolio.app, name="portfolio")
report.add_to(app)
app.add_typer(rules.app, name="rules")
app.add_typer(risk.app, name="risk")
app.add_typer(live.app, name="live")
app.add_typer(db.app, name="db")
app.add_typer(schema.app, name="schema")
app.add_typer(cron.app, name="cron")
logs.add_to(app)
app.add_typer(notify.app, name="notify")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(keys.app, name="keys")
credentials.add_to(app)
allowances.add_to(app)
doctor.add_to(app)
convert.add_to(app)
export.add_to(app)


class Interrupted(KeyboardInterrupt):
    """A signal asked us to end. As a KeyboardInterrupt it breaks off what the database is doing, too."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"betteroms {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_version, show_default=False, help="Print the version."
        ),
    ] = False,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show where an unexpected error came from.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show on stderr what goes into the log.")
    ] = False,
) -> None:
    journal.VERBOSE.set(verbose)


def main() -> NoReturn:
    """The console script: one command, then the end.

    The collector of cycles is off, since what a run builds it keeps to its end; and the end is immediate,
    since taking half a million objects apart one by one is a tenth of a large run. Nothing is left to do:
    `run` has closed the database and flushed what was printed.
    """
    gc.disable()
    # The thread that sends to the database gets its turn after 1 ms instead of 5: a tenth of a large run.
    sys.setswitchinterval(0.001)
    code = run(sys.argv[1:])
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Carry a command line out; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # closed, or not a real stream
            # What a terminal cannot show must not break off a command that has traded.
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    with _signals() as received:
        return _flushed(_ended(arguments, received))


def _ended(arguments: Sequence[str], received: Sequence[int]) -> int:
    json_wanted, debug = "--json" in arguments, "--debug" in arguments
    try:
        command = typer.main.get_command(app)
        answer = command.main(args=list(arguments), prog_name="betteroms", standalone_mode=False)
    except KeyboardInterrupt:
        return _interrupted(received)
    except typer.Abort:
        return _interrupted(received)
    except BrokenPipeError:
        return _pipe_closed()
    except SystemExit as end:
        # Typer makes this of a closed pipe; completion of the shell ends so, too.
        if isinstance(end.__context__, BrokenPipeError):
            return _pipe_closed()
        raise
    except ClickException as wrong:
        return _usage(wrong, json_wanted)
    except Exception as fault:
        if isinstance(fault, OSError) and fault.filename is None and fault.errno in FULL:
            return _output_lost(fault)
        if debug:
            say("".join(traceback.format_exception(fault)).rstrip())
        return tell(fault, json_wanted=json_wanted)
    if received:
        return _interrupted(received)
    return answer if isinstance(answer, int) else exits.DONE


def _usage(wrong: Exception, json_wanted: bool) -> int:
    """The words were no command of ours."""
    told = getattr(wrong, "format_message", wrong.__str__)().replace("Value error, ", "")
    # Without any argument, help has been printed already.
    if told:
        context = getattr(wrong, "ctx", None)
        path = context.command_path if context is not None else "betteroms"
        end = Exit(code=exits.USAGE, name="USAGE", hint=f"{path} --help")
        tell(wrong, json_wanted=json_wanted, message=told, end=end)
    return exits.USAGE


def _interrupted(received: Sequence[int]) -> int:
    terminated = bool(received) and received[0] == signal.SIGTERM
    say("terminated" if terminated else "interrupted")
    return exits.TERMINATED if terminated else exits.INTERRUPTED


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Turn SIGINT and SIGTERM into an exception, so that everything is closed on the way out."""
    received: list[int] = []

    def handle(number: int, _: object) -> None:
        received.append(number)
        raise Interrupted(f"interrupted by {signal.Signals(number).name}")

    previous: dict[signal.Signals, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            # A command that was started with the signal ignored, by nohup or in the background, keeps it so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                previous[number] = signal.signal(number, handle)
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _flushed(code: int) -> int:
    """Write out what is still buffered, so that a full disk or a closed pipe is noticed here."""
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _pipe_closed()
    except (OSError, ValueError) as fault:
        return _output_lost(fault)
    return code


def _output_lost(fault: Exception) -> int:
    _forget_stdout()
    end = Exit(code=exits.UNEXPECTED, name="OUTPUT_LOST")
    return tell(fault, json_wanted=False, message=f"the output cannot be written: {fault}", end=end)


def _pipe_closed() -> int:
    """Whoever read our output wants no more of it: nothing to complain about."""
    _forget_stdout()
    return exits.BROKEN_PIPE


def _forget_stdout() -> None:
    """Let the interpreter's own last flush succeed."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
