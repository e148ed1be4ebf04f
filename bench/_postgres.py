"""A PostgreSQL of our own with durability on, for as long as one measurement runs."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def binaries() -> Path | None:
    for folder in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True):
        if Path(folder, "initdb").exists():
            return Path(folder)
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextlib.contextmanager
def postgres(*, shared_buffers: str = "512MB") -> Iterator[str]:
    """The server's URL. fsync, full_page_writes and synchronous_commit stay on: that is what is measured."""
    programs = binaries()
    if programs is None:
        raise SystemExit("There is no PostgreSQL on this machine (initdb not found).")
    folder = Path(tempfile.mkdtemp(prefix="shuke-bench-"))
    run: list[str] = []
    if os.getuid() == 0:
        name = "postgres" if any(u.pw_name == "postgres" for u in pwd.getpwall()) else "nobody"
        user = pwd.getpwnam(name)
        os.chown(folder, user.pw_uid, user.pw_gid)
        run = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    data, quiet = str(folder / "data"), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c shared_buffers={shared_buffers} "
        "-c max_connections=60 -c timezone=UTC"
    )
    subprocess.run(
        [*run, programs / "initdb", "-D", data, "-U", "shuke", "--auth=trust", "-E", "UTF8"],
        check=True,
        cwd="/",
        **quiet,
    )
    subprocess.run(
        [*run, programs / "pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start"],
        check=True,
        cwd="/",
        **quiet,
    )
    try:
        subprocess.run([*run, programs / "createdb", "-h", str(folder), "-U", "shuke", "shuke"], check=True, cwd="/")
        yield f"postgresql://shuke@/shuke?host={folder}"
    finally:
        subprocess.run(
            [*run, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], check=False, cwd="/", **quiet
        )
        shutil.rmtree(folder, ignore_errors=True)
