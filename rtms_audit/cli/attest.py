"""`rtms-audit attest`: what a person saw or did, as evidence."""

import click

from rtms_audit.cli.common import Context, echo_result, pass_context_object
from rtms_audit.cli.options import ENVIRONMENTS, app_option


@click.command()
@click.argument("account")
@click.argument("values", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.option("--by", required=True, metavar="WHO", help="Who says so: a name or a role.")
@click.option("--note", metavar="TEXT", help="How they know, in their words.")
@click.option(
    "--environment",
    type=click.Choice(ENVIRONMENTS),
    help="The environment it is about; left out, every install of the account.",
)
@app_option
@pass_context_object
def attest(
    context: Context,
    *,
    account: str,
    values: tuple[str, ...],
    by: str,
    note: str | None,
    environment: str | None,
    app: str | None,
) -> None:
    """Record what a person saw or did.

    A statement is believed until something a machine saw says otherwise. docs/evidence-files.md lists the keys.

    \b
    For example:
      rtms-audit attest dev-co account.developer_pack=active --by "billing admin"
      rtms-audit attest outsider setting.share_realtime_content=on trigger=none --by admin --environment production
    """
    from rtms_audit.core.model import Environment
    from rtms_audit.workflows.attest import attest as keep
    from rtms_audit.workflows.audit import parse_values

    said = parse_values(values)
    with context.open_store() as store:
        ids = keep(
            store,
            app=app,
            account=account,
            environment=Environment(environment) if environment else None,
            values=said,
            by=by,
            note=note,
            clock=context.clock,
        )
    echo_result(f"Kept {', '.join(ids)}.")
