"""The commands behind ``./qunda``. Each imports its own code when it is called, so that help comes at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

# The vectors are short: the threads of numpy's algebra would only fight ours for the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer

from commands.errors import CommandRefused
from commands.supervisor import REFUSED
from config.errors import ConfigError

cli = typer.Typer(
    name="qunda",
    help="Qunda (群答): the chat-bot front line for community group-buying.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local variables, and with them secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
imports = typer.Typer(help="Read orders or people from a file.", no_args_is_help=True)
faq = typer.Typer(help="Look after the knowledge.", no_args_is_help=True)
cli.add_typer(imports, name="import")
cli.add_typer(faq, name="faq")
kf = typer.Typer(help="Look after the customer-service account (微信客服).", no_args_is_help=True)
cli.add_typer(kf, name="kf")
menu = typer.Typer(help="Look after the Official Account's menu.", no_args_is_help=True)
cli.add_typer(menu, name="menu")

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything and write nothing.")]


@cli.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    playground: Annotated[bool, typer.Option(help="Play with demo channels while there is no channels.yaml.")] = True,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    from commands.up import run

    raise typer.Exit(run(host, port, playground))


@cli.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def test(context: typer.Context) -> None:
    """Lint, types, import contracts and all tests; arguments go to pytest, which then runs alone."""
    from commands.test import run

    raise typer.Exit(run(context.args))


@cli.command()
def demo(
    names: Annotated[list[str] | None, typer.Argument(help="Conversations to play; all without one.")] = None,
    door: Annotated[str | None, typer.Option(help="Where residents write: oa or kf; at both without it.")] = None,
) -> None:
    """Play the scripted conversations through real encrypted callbacks."""
    from commands.demo import run

    raise typer.Exit(run(names or [], door))


@cli.command()
def web(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the web process alone."""
    from commands.web import run

    raise typer.Exit(run(host, port))


@cli.command()
def worker() -> None:
    """Run the worker process alone."""
    from commands.preflight import settings_of_one_process

    settings = settings_of_one_process()
    from worker import main

    main(settings)


@cli.command()
def clock() -> None:
    """Run the clock process alone."""
    from commands.preflight import settings_of_one_process

    settings = settings_of_one_process()
    from clock import main

    main(settings)


@cli.command()
def migrate() -> None:
    """Bring the database to this version; makes database and secret key when there are none."""
    from bot.storage.migrate import upgrade
    from config.settings import Settings

    upgrade(Settings.load(os.environ, make_secret=True).database_url)


@cli.command()
def setup() -> None:
    """Ask the few questions that an installation of your own needs, and write its files."""
    from commands.setup_wizard import run

    raise typer.Exit(run())


@cli.command()
def doctor() -> None:
    """Check settings, database, Redis and each channel, and say what to mend."""
    from commands.doctor import run

    raise typer.Exit(run())


@cli.command()
def backup(file: Path) -> None:
    """Write rows, photos, key and configuration into one file; the bot may go on working."""
    from commands.backup import backup as take_backup

    raise typer.Exit(take_backup(_from_where_called(file)))


@cli.command()
def restore(file: Path) -> None:
    """Put a backup into an empty installation, wholly or not at all."""
    from commands.restore import restore as put_back

    raise typer.Exit(put_back(_from_where_called(file)))


@menu.command("push")
def menu_push(
    channel: Annotated[str, typer.Option(help="The Official Account, when there are several.")] = "",
    dry_run: DryRun = False,
) -> None:
    """Put the menu of menu.yaml in the place of the account's menu."""
    from commands.menu import push

    raise typer.Exit(push(channel, dry_run=dry_run))


@imports.command()
def orders(file: Path, dry_run: DryRun = False) -> None:
    """Import orders from csv or xlsx."""
    from commands.imports import orders as import_orders

    raise typer.Exit(import_orders(_from_where_called(file), dry_run))


@imports.command()
def people(file: Path, dry_run: DryRun = False) -> None:
    """Read residents from a file; communities and staff stand in people.yaml."""
    from commands.imports import people as import_people

    raise typer.Exit(import_people(_from_where_called(file), dry_run))


@cli.command()
def understand(
    text: Annotated[str | None, typer.Argument(help="One message.")] = None,
    file: Annotated[Path | None, typer.Option(help="Many messages, one JSON object a line.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the answers go; standard output without it.")] = None,
) -> None:
    """Show what the bot makes of a message."""
    from commands.understand import run

    raise typer.Exit(run(text, file and _from_where_called(file), out and _from_where_called(out)))


@faq.command()
def check(
    quick: Annotated[bool, typer.Option("--quick", help="Leave out links and cross-validation.")] = False,
) -> None:
    """Look for mistakes in the knowledge files."""
    from commands.faq import check as check_knowledge

    raise typer.Exit(check_knowledge(quick))


@faq.command("import")
def faq_import(
    file: Path,
    dry_run: DryRun = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take out every entry that the file lacks.")] = False,
) -> None:
    """Take entries in from csv or xlsx: question, answer, variants (one a line), and Qunda's own columns."""
    from commands.faq import take_in

    raise typer.Exit(take_in(_from_where_called(file), dry_run=dry_run, replace=replace))


@faq.command("export")
def faq_export(file: Path) -> None:
    """Write all entries to csv or xlsx."""
    from commands.faq import put_out

    raise typer.Exit(put_out(_from_where_called(file)))


@faq.command("gaps")
def faq_gaps(
    approve: Annotated[int | None, typer.Option(help="Add the gap with this number to the knowledge.")] = None,
    dismiss: Annotated[
        int | None,
        typer.Option(help="Take the gap with this number off the list; once approved, take back what that added."),
    ] = None,
    entry: Annotated[str | None, typer.Option(help="With --approve: as phrasings of this entry.")] = None,
    answer: Annotated[str | None, typer.Option(help="With --approve: as a new entry with this answer.")] = None,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="With --approve: a person's answer holds in all communities.")
    ] = False,
) -> None:
    """List what residents asked and the bot could not answer; approve or dismiss it."""
    from commands import gaps

    if (approve is not None and dismiss is not None) or (entry is not None and answer is not None):
        raise CommandRefused("two of these options say different things", "give one of them")
    if approve is None and (entry is not None or answer is not None or everywhere):
        raise CommandRefused("--entry, --answer and --everywhere go with --approve", "add --approve and the number")
    if approve is not None:
        gaps.approve(approve, entry_id=entry, answer=answer, everywhere=everywhere)
    elif dismiss is not None:
        gaps.dismiss(dismiss)
    else:
        gaps.list_open()


@kf.command("link")
def kf_link(
    community: Annotated[str | None, typer.Argument(help="Its id or name in people.yaml; all without it.")] = None,
    channel: Annotated[str | None, typer.Option(help="Which account, where there are several.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the picture of one goes; the data dir without it.")] = None,
) -> None:
    """Print the link that a leader posts in her group, and write its QR picture."""
    from commands.kf import link

    raise typer.Exit(link(community, channel, out and _from_where_called(out)))


@cli.command()
def bench(
    name: Annotated[str | None, typer.Argument(help="One benchmark; all without it.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures here as JSON.")] = None,
) -> None:
    """Measure, peers beside us in the same run."""
    from commands.bench import run

    raise typer.Exit(run(name, json and _from_where_called(json)))


def _from_where_called(file: Path) -> Path:
    """``./qunda`` runs in the project's folder; the operator's paths are meant from where she stands."""
    return Path(os.environ.get("QUNDA_CALLED_FROM", ".")) / file.expanduser()


def main() -> None:
    """Runs a command; a mistake of configuration is told without a traceback."""
    try:
        cli(prog_name="./qunda")
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)
    except CommandRefused as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
