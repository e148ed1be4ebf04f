"""The list of commands. Only the command that is called is loaded: `shuke --help` starts in a fraction of a second."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import click

from shuke import __version__
from shuke.doors.cli import errors
from shuke.doors.cli.click_words import speak_chinese
from shuke.doors.cli.words import _

# command → module under doors/cli/commands, its one line in the list. Order is the order of a first day.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("setup", _("set up the database, the merchant and the owner's account")),
    "demo": ("demo", _("a shop with a year of history to look around in")),
    "import": ("imports", _("take in order and member files")),
    "stats": ("stats", _("how much there is of everything")),
    "members": ("members", _("find and show members")),
    "tiers": ("tiers", _("why a member has this tier, and what is missing to the next")),
    "points": ("points", _("a member's points and where they came from")),
    "benefits": ("benefits", _("what members may have and are close to, and the log")),
    "gifts": ("gifts", _("gifts for points: catalogue, stock, orders")),
    "draws": ("draws", _("lucky draws, and checking a published one")),
    "coupons": ("coupons", _("coupons: templates, issuing, codes in bulk, reports")),
    "complaints": ("complaints", _("complaints: write them down, settle them")),
    "finance": ("finance", _("what points owe, and entries for the bookkeeper")),
    "referral": ("referral", _("members who bring friends: codes, rewards, cases to look at, the tree")),
    "stored": ("stored", _("money members pay in advance, and gift cards")),
    "coalition": ("coalition_settling", _("coalition points with other merchants, and settling them")),
    "partner-cards": ("partner_cards", _("co-branded cards and the partner's spend files")),
    "ledger": ("ledger", _("check the books")),
    "insight": ("insight", _("RFM, pyramid, life cycle and key figures")),
    "charter": ("charter", _("show, check and publish the membership charter")),
    "night": ("night", _("the night run: expiries, reviews, snapshots")),
    "staff": ("staff", _("the people who sign in: roles, stores, passwords")),
    "tokens": ("tokens", _("let other software in through the API")),
    "keys": ("keys", _("the keys that lock phones and addresses away")),
    "serve": ("serve", _("console, API and worker in one process tree")),
    "worker": ("worker", _("only the worker")),
    "doctor": ("doctor", _("look whether this installation is healthy")),
}

# Commands whose parts stand in further modules, each of which adds itself to the group.
MORE = {
    "members": ("cards", "joining", "merging"),
    "insight": (
        "insight_engine",
        "insight_files",
        "insight_growth",
        "insight_goods",
        "insight_profit",
        "insight_costs",
        "insight_profiles",
        "insight_word_of_mouth",
        "insight_value",
        "insight_predict",
        "insight_test",
        "insight_expect",
    ),
    "points": ("moving",),
    "stored": ("gift_cards",),
    "partner-cards": ("partner_card_files",),
}


class Commands(click.Group):
    """Loads a command's module when it is called, and says what went wrong in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"shuke.doors.cli.commands.{COMMANDS[name][0]}")
        for more in MORE.get(name, ()):
            importlib.import_module(f"shuke.doors.cli.commands.{more}")
        _dress(module.command)
        return module.command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, about) for name, (_module, about) in COMMANDS.items()])

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
        except click.UsageError as error:
            if "--json" in sys.argv:
                click.echo(json.dumps({"error": error.format_message(), "exit": errors.USAGE}, ensure_ascii=False))
            error.show()
            sys.exit(errors.USAGE)
        except click.ClickException as error:
            error.show()
            sys.exit(errors.REFUSED)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(errors.INTERRUPTED)
        except BrokenPipeError:  # `shuke … | head`: whoever reads has had enough
            sys.stderr.close()
            sys.exit(0)
        except Exception as error:
            errors.show_traceback(error)
            sentence, code = errors.explain(error)
            if "--json" in sys.argv:
                click.echo(json.dumps({"error": sentence, "exit": code}, ensure_ascii=False))
            click.echo(sentence, err=True)
            sys.exit(code)
        sys.exit(code if isinstance(code, int) else 0)


def _dress(command: click.Command) -> None:
    """The placeholders of a usage line, in the language of the terminal."""
    command.options_metavar = _("[OPTIONS]")
    if isinstance(command, click.Group):
        command.subcommand_metavar = _("COMMAND [ARGS]…")
        for inside in command.commands.values():
            _dress(inside)


speak_chinese()


@click.group(
    cls=Commands,
    options_metavar=_("[OPTIONS]"),
    subcommand_metavar=_("COMMAND [ARGS]…"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=_(
        "Shuke 熟客: know your members, grade, reward and keep them.\n\nStart with `shuke init` for your own shop, or `shuke demo` to look around."
    ),
    epilog=_(
        "Every command has --help with an example, and --json for programs. Exit codes: 0 done, 1 refused, 2 written wrongly, 3 machine or database not ready, 4 a mistake of ours."
    ),
)
@click.version_option(__version__, prog_name="shuke")
def cli() -> None:
    """The whole command line."""
