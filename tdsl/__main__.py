"""The command `tdsl`, and `python -m tdsl`: quiet from the first moment when it is interrupted."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; an interrupt while it is still being imported ends it without words."""
    try:
        from tdsl.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
