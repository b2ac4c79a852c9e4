"""`python -m betteroms` is the `betteroms` command."""

from betteroms.cli.app import main

if __name__ == "__main__":
    main()
