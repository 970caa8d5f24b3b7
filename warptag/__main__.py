"""`python -m warptag`: the same as `warptag`."""

from warptag.cli import main

if __name__ == "__main__":
    main()
