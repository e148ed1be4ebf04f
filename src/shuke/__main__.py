"""`shuke` and `python -m shuke`: the command line door."""


def main() -> None:
    from shuke.doors.cli.main import cli

    cli(prog_name="shuke")


if __name__ == "__main__":
    main()
