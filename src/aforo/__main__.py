"""`python -m aforo` is the command line."""

from aforo.cli import main

if __name__ == "__main__":
    main()
