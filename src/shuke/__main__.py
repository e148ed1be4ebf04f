"""`shuke` and `python -m shuke`: the command line door."""

import os


def main() -> None:
    # Sums of a million products are over before a second thread has woken up; it would wait busily for the next one, and a night
    # cost twice its processor time. Read by numpy when it is loaded, so it must be said before that.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from shuke.doors.cli.main import cli

    cli(prog_name="shuke")


if __name__ == "__main__":
    main()
