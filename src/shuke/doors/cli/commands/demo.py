"""`shuke demo`: a shop with a year of history, then the console."""

from __future__ import annotations

from pathlib import Path

import click

from shuke.doors.cli.bars import Bars
from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _


@declared(
    "demo",
    _(
        "Make a shop to look around in, through the very path your own files would take, and open its console: a year of real "
        "retail history (completejourney) or a made-up Taobao shop (taobao). Run again, it goes on where it stopped."
    ),
    "shuke demo\nshuke demo --shop taobao\nshuke demo --no-serve --json",
    database=False,
)
@click.option(
    "--shop",
    type=click.Choice(["completejourney", "taobao"]),
    default="completejourney",
    show_default=True,
    help=_("which history"),
)
@click.option("--no-serve", is_flag=True, help=_("everything but opening the console"))
@click.option("--fresh", is_flag=True, help=_("delete the demos that are there and begin anew"))
@click.option("--host", default="127.0.0.1", show_default=True, help=_("address to listen on"))
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help=_("port to listen on"))
def command(desk: Desk, shop: str, no_serve: bool, fresh: bool, host: str, port: int) -> int:
    from django.conf import settings

    from shuke.doors.cli.commands.serve import check_port, serve
    from shuke.doors.cli.commands.stats import labelled
    from shuke.doors.cli.desk import check_database
    from shuke.flows.demo import run
    from shuke.kit import clock, schema

    if not no_serve:
        check_port(host, port)  # say so now, not after two minutes of import
    Path(settings.SHUKE_HOME).mkdir(parents=True, exist_ok=True)
    if schema.state() == schema.State.NEWER:
        check_database()
    with Bars(quiet=desk.as_json) as progress:
        report = run(shop=shop, home=Path(settings.SHUKE_HOME), progress=progress, now=clock.utc_now(), fresh=fresh)
    if desk.as_json:
        desk.json(report)
    else:
        desk.say()
        desk.merchant_named(report.merchant)
        desk.facts(
            [
                (_("shop"), report.merchant),
                (_("its clock"), report.clock),
                *labelled(report.counts, f"{desk.money(report.counts['net_minor'])}  ({report.counts['net_minor']:,})"),
                (_("rows rejected"), report.rejected),
                (_("files with them"), ", ".join(report.rejects)),
                (_("seconds"), ", ".join(f"{step} {seconds:.1f}" for step, seconds in report.seconds.items())),
            ],
            title=_("The demo is ready.") if report.made else _("The demo was made before."),
        )
        desk.table(
            [_("sign in as"), _("name"), _("role")], [(u["username"], u["name"], u["role"]) for u in report.users]
        )
        desk.say(_("All of them with the password {password}").format(password=report.password))
    if no_serve:
        return 0
    return serve(desk, host=host, port=port, workers=2)
