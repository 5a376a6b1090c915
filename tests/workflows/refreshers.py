"""A program that forks callers of one grant on demand, and says how each of them ended; run by the tests beside it.

Each line of standard input is one order (JSON), each line of standard output one report. Callers are forked from this
small process with one thread, since starting Python hundreds of times would take longer than all the tests.
"""

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rtms_audit.errors import AuditError
from rtms_audit.settings import Settings
from rtms_audit.store.keys import KeySource
from rtms_audit.store.store import open_store
from rtms_audit.workflows.auditor_tokens import AuditorTokens
from rtms_audit.workflows.services import Services, live_services
from rtms_audit.workflows.tokens import Patience, Step, TokenKeeper


def serve() -> None:
    """Carry out the orders until standard input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        gate, opened = os.pipe()
        callers = [_fork(order, number, gate, opened) for number in range(order.get("processes", 1))]
        os.close(gate)
        for _, reader in callers:
            reader.read(1)  # ready
        os.close(opened)  # all of them begin now
        for pid, _ in callers:
            _tell_if_stopped(pid, order)
        _report([_ending(pid, reader) for pid, reader in callers])


def _fork(order: dict[str, Any], number: int, gate: int, opened: int) -> tuple[int, Any]:
    mine, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, os.fdopen(mine, "rb")
    os.close(opened)
    try:
        result = _call(order, number, lambda: (os.write(theirs, b"r"), os.read(gate, 1)))
        os.write(theirs, json.dumps(result).encode())
    finally:
        os._exit(0)


def _tell_if_stopped(pid: int, order: dict[str, Any]) -> None:
    """Report a caller that put itself to sleep; whoever ordered it wakes it up."""
    if "sleep_at" not in order:
        return
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        _report({"asleep": pid})


def _report(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _ending(pid: int, reader: Any) -> dict[str, Any]:
    with reader:
        said = reader.read()
    _, status = os.waitpid(pid, 0)
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return {"killed": killed, "answers": json.loads(said) if said else []}


def _call(order: dict[str, Any], number: int, wait: Callable[[], object]) -> list[dict[str, str]]:
    shift = timedelta(seconds=order.get("shift", 0))

    def clock() -> datetime:
        return datetime.now(UTC) + shift

    settings = Settings(
        database_url=order["database"], zoom_oauth_url=order["oauth_url"], zoom_api_url=order["api_url"]
    )
    with open_store(order["database"], key=KeySource(file=Path(order["key"])), clock=clock) as store:
        services = live_services(store, settings, clock=clock)
        ask = _asker(order, services, f"caller-{number}")
        store.keys()
        wait()
        with ThreadPoolExecutor(order.get("threads", 1)) as pool:
            return list(pool.map(lambda _: _answer(ask), range(order.get("threads", 1))))


def _asker(order: dict[str, Any], services: Services, owner: str) -> Callable[[], str]:
    patience = Patience(
        margin=timedelta(seconds=order.get("margin", 0)), lease_ttl=timedelta(seconds=order.get("lease_ttl", 20)),
        wait=timedelta(seconds=60), poll=0.05, back_off=(0.05, 0.2),
    )  # fmt: skip
    if "auditor" in order:
        auditors = AuditorTokens(services, owner=owner, patience=patience)
        return lambda: auditors.access(app="notes", account=order["auditor"]).reveal()

    def on_step(step: Step) -> None:
        for word, number in (("die_at", signal.SIGKILL), ("sleep_at", signal.SIGSTOP)):
            if order.get(word) == step:
                os.kill(os.getpid(), number)
                time.sleep(0.3)  # the signal may reach another thread first; not a step further

    keeper = TokenKeeper(services, owner=owner, patience=patience, on_step=on_step)
    grant = services.store.grant_by_id(order["grant_id"])

    def ask() -> str:
        return (keeper.refresh(grant).access if order.get("force") else keeper.access(grant)).reveal()

    return ask


def _answer(ask: Callable[[], str]) -> dict[str, str]:
    try:
        return {"token": hashlib.sha256(ask().encode()).hexdigest()}
    except AuditError as error:
        return {"error": f"{type(error).__name__}: {error.message}"}


if __name__ == "__main__":
    serve()
