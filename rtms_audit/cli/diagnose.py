"""`rtms-audit diagnose`: judge an evidence file, without store or network."""

from pathlib import Path

import click

from rtms_audit.cli.common import Context, format_option, output_option, pass_context_object, talk, write_result
from rtms_audit.cli.options import exit_zero_option, style_of, verdict_code
from rtms_audit.errors import ExitCode


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--install", metavar="ACCOUNT/ENV", help="Judge this install alone.")
@format_option("table", "json", "markdown")
@output_option
@exit_zero_option
@pass_context_object
def diagnose(
    context: Context, *, file: Path, install: str | None, format_: str, output: Path | None, exit_zero: bool
) -> ExitCode:
    """Judge an evidence file: what happened, why, how sure that is, and what to find out next.

    FILE is YAML or JSON as docs/evidence-files.md describes it. No store is opened and nothing is fetched.

    \b
    For example:
      rtms-audit diagnose case.yaml
      rtms-audit diagnose case.yaml --install dev-co/production --format json
    """
    from rtms_audit.workflows.audit import judge, parse_install
    from rtms_audit.workflows.evidence_io import read_evidence

    case = read_evidence(file)
    diagnoses = judge(case, parse_install(case, install) if install else None)
    if not diagnoses:
        talk(f"{file} names no install, so there is nothing to judge: list account and environment under `installs`.")
    if format_ == "json":
        from rtms_audit.report.json_ import json_diagnoses

        text = json_diagnoses(diagnoses)
    else:
        from rtms_audit.report.formats import explanations_text

        text = explanations_text(diagnoses, format_=format_, style=style_of(context, output))
    write_result(text, output)
    return verdict_code(diagnoses, exit_zero=exit_zero)
