"""One act of the month in a process of its own, so that it can be killed; see `troubles`.

`python -m tests.simulation.month_driver SEED DAYS calm|busy STEP DATABASE_URL EMPTY_DIRECTORY`
"""

import sys
from pathlib import Path

from tests.simulation.month import BUSY, CALM, Script, carry_out

CRONTABS = {"calm": CALM, "busy": BUSY}


def main(arguments: list[str]) -> None:
    """Carry out the act."""
    seed, days, crontab, step, url, nothing = arguments
    script = Script(seed=int(seed), days=int(days), crontab=CRONTABS[crontab])
    carry_out(script.month, script.acts[int(step)], url, Path(nothing))


if __name__ == "__main__":
    main(sys.argv[1:])
