"""`python -m tdsl`: the command line."""

from tdsl.cli.main import main

if __name__ == "__main__":
    main()
