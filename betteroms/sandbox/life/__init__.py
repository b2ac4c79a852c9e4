"""What happens at a venue besides its users: counterparties by script or by chance. Idle unless asked."""

from betteroms.sandbox.life.life import Life
from betteroms.sandbox.life.script import BadLifeScript, Script, parse
from betteroms.sandbox.life.seeded import Pace

__all__ = ["BadLifeScript", "Life", "Pace", "Script", "parse"]
