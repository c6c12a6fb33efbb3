"""`python -m lakewarden`."""

from lakewarden.cli.main import main

if __name__ == "__main__":
    main()
