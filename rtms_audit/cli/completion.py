"""`rtms-audit completion`: the script that teaches a shell our commands."""

import click

from rtms_audit.cli.common import echo_result


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    For example, in ~/.bashrc:
      eval "$(rtms-audit completion bash)"
    in ~/.zshrc:
      eval "$(rtms-audit completion zsh)"
    and once for fish:
      rtms-audit completion fish > ~/.config/fish/completions/rtms-audit.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  click knows the three shells of the choice above
    echo_result(found(ctx.find_root().command, {}, "rtms-audit", "_RTMS_AUDIT_COMPLETE").source())
