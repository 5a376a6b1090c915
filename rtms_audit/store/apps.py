"""Apps with their credential pairs, accounts with their auditor connections."""

from types import MappingProxyType

from sqlmodel import Session, col, delete, select

from rtms_audit.core.model import App, Distribution, Environment, Install, Plan, Usage
from rtms_audit.core.secret import Secret
from rtms_audit.errors import UserError
from rtms_audit.store.base import Base
from rtms_audit.store.records import (
    AccountRecord,
    AppCredentials,
    AppEnvironmentRecord,
    AppRecord,
    AuditorCredentials,
    GrantStatus,
)
from rtms_audit.store.tables import (
    AccountRow,
    AppEnvironmentRow,
    AppRow,
    AuditorRow,
    GrantRow,
    NotedInstallRow,
    SealedRow,
    StateRow,
)
from rtms_audit.store.vault import Identity

CLIENT_SECRET = "client secret"  # noqa: S105 - the name of a secret, not one
WEBHOOK_SECRET = "webhook secret"  # noqa: S105

NAME_ONE = "Name one of them: --app NAME, or NAME where the command takes one."


class Apps(Base):
    """The apps under audit."""

    def put_app(
        self,
        *,
        app: str,
        environment: Environment,
        client_id: str,
        client_secret: Secret,
        webhook_secret: Secret | None = None,
        redirect_uri: str | None = None,
        app_id: str | None = None,
        owner: str | None = None,
        usage: Usage | None = None,
        distribution: Distribution | None = None,
    ) -> AppRecord:
        """Add an environment of an app, or change it; None leaves what is stored as it is."""
        self._vault.ready()
        with self._writing() as session:
            self._merge_app(session, app, owner, usage)
            self._merge_environment(
                session, app, environment, client_id=client_id, app_id=app_id, redirect_uri=redirect_uri,
                distribution=distribution,
            )  # fmt: skip
            self._put_secret(session, _pair(app, environment, CLIENT_SECRET), client_secret)
            if webhook_secret is not None:
                self._put_secret(session, _pair(app, environment, WEBHOOK_SECRET), webhook_secret)
            return _app_record(session, session.get_one(AppRow, app))

    def note_app(self, app: App) -> None:
        """Keep what an evidence file says of an app, without credentials; what is stored already stays."""
        if app.name is None:
            raise ValueError("an app without a name cannot be kept")
        with self._writing() as session:
            known = session.get(AppRow, app.name) or AppRow(name=app.name)
            self._merge_app(
                session, app.name, known.owner or app.owner, (known.usage and Usage(known.usage)) or app.usage
            )
            for environment, told in app.environments.items():
                row = session.get(AppEnvironmentRow, (app.name, environment))
                distribution = None if row and row.distribution else told.distribution
                client_id = None if row and row.client_id else told.client_id
                self._merge_environment(session, app.name, environment, client_id=client_id, distribution=distribution)

    def note_install(self, *, app: str, install: Install) -> None:
        """Keep what an evidence file says of an install; a later word replaces an earlier one."""
        key = install.key
        with self._writing() as session:
            row = session.get(NotedInstallRow, (app, key.account, str(key.environment)))
            row = row or NotedInstallRow(app=app, account=key.account, environment=key.environment, status="")
            row.status, row.noted_at = install.status, self._now()
            session.add(row)

    def apps(self) -> tuple[AppRecord, ...]:
        """Return all apps, by name."""
        with self._reading() as session:
            rows = session.exec(select(AppRow).order_by(col(AppRow.name))).all()
            return tuple(_app_record(session, row) for row in rows)

    def app(self, name: str | None = None) -> AppRecord:
        """Return an app by name, or the only one there is; UserError names those that are known."""
        known = self.apps()
        chosen = [app for app in known if name in (None, app.name)]
        if len(chosen) == 1:
            return chosen[0]
        raise _no_app(name, [app.name for app in known])

    def remove_app(self, name: str) -> None:
        """Remove an app and its credentials; evidence stays. UserError while an install of it is active."""
        self.app(name)
        with self._writing() as session:
            _refuse_while_installed(session, col(GrantRow.app) == name, f"The app {name}")
            for environment in Environment:
                self._wipe_secrets(session, _pair(name, environment, "").owner)
            session.exec(delete(AppEnvironmentRow).where(col(AppEnvironmentRow.app) == name))
            session.exec(delete(AppRow).where(col(AppRow.name) == name))

    def credentials(self, *, app: str, environment: Environment) -> AppCredentials:
        """Return the credential pair of an environment; UserError where it was never entered."""
        self._vault.ready()
        with self._reading() as session:
            row = session.get(AppEnvironmentRow, (app, str(environment)))
            secret = self._take_secret(session, _pair(app, environment, CLIENT_SECRET))
            if row is None or row.client_id is None or secret is None:
                raise UserError(
                    f"The app {app} has no {environment} credentials",
                    next_step=f"Add them: rtms-audit app add {app} --environment {environment} --client-id ID",
                )
            return AppCredentials(
                app=app, environment=Environment(environment), client_id=row.client_id, client_secret=secret,
                webhook_secret=self._take_secret(session, _pair(app, environment, WEBHOOK_SECRET)),
                redirect_uri=row.redirect_uri,
            )  # fmt: skip

    def _merge_app(self, session: Session, name: str, owner: str | None, usage: Usage | None) -> None:
        row = session.get(AppRow, name) or AppRow(name=name, created_at=self._now())
        row.owner, row.usage = owner or row.owner, usage or row.usage
        session.add(row)
        session.flush()

    def _merge_environment(self, session: Session, app: str, environment: Environment, **told: str | None) -> None:
        now = self._now()
        row = session.get(AppEnvironmentRow, (app, str(environment)))
        row = row or AppEnvironmentRow(app=app, environment=environment, created_at=now)
        for name, value in told.items():
            if value is not None:
                setattr(row, name, value)
        row.updated_at = now
        session.add(row)
        session.flush()


class Accounts(Base):
    """The accounts to audit."""

    def put_account(
        self,
        *,
        label: str,
        email: str | None = None,
        account_id: str | None = None,
        expected_plan: Plan = Plan.UNKNOWN,
    ) -> AccountRecord:
        """Add an account, or change it; None and the plan `unknown` leave what is stored as it is."""
        with self._writing() as session:
            row = session.get(AccountRow, label)
            row = row or AccountRow(label=label, expected_plan=Plan.UNKNOWN, created_at=self._now())
            row.email, row.zoom_account_id = email or row.email, account_id or row.zoom_account_id
            if expected_plan is not Plan.UNKNOWN:
                row.expected_plan = expected_plan
            session.add(row)
            session.flush()
            return _account_record(row, has_auditor=session.get(AuditorRow, label) is not None)

    def accounts(self) -> tuple[AccountRecord, ...]:
        """Return all accounts, by label."""
        with self._reading() as session:
            auditors = set(session.exec(select(AuditorRow.account)).all())
            rows = session.exec(select(AccountRow).order_by(col(AccountRow.label))).all()
            return tuple(_account_record(row, has_auditor=row.label in auditors) for row in rows)

    def account(self, label: str) -> AccountRecord:
        """Return an account; UserError names those that are known."""
        known = {account.label: account for account in self.accounts()}
        if label in known:
            return known[label]
        raise UserError(
            f"There is no account {label!r}" + (f"; known are {', '.join(known)}" if known else "; none is known yet"),
            next_step=f"Add it: rtms-audit account add {label}",
        )

    def remove_account(self, label: str) -> None:
        """Remove an account and its auditor connection; evidence stays. UserError while an install of it is active."""
        self.account(label)
        with self._writing() as session:
            _refuse_while_installed(session, col(GrantRow.account) == label, f"The account {label}")
            for state in session.exec(select(StateRow).where(StateRow.account == label)).all():
                self._wipe_secrets(session, f"state:{state.state_hash}")
                session.delete(state)
            self._wipe_secrets(session, _auditor(label).owner)
            session.exec(delete(AuditorRow).where(col(AuditorRow.account) == label))
            session.exec(delete(AccountRow).where(col(AccountRow.label) == label))

    def put_auditor(self, *, account: str, client_id: str, client_secret: Secret, zoom_account_id: str) -> None:
        """Add or change the auditor connection of an account; UserError where the account is unknown."""
        self.account(account)
        self._vault.ready()
        with self._writing() as session:
            row = session.get(AuditorRow, account) or AuditorRow(account=account, client_id="", zoom_account_id="")
            row.client_id, row.zoom_account_id, row.updated_at = client_id, zoom_account_id, self._now()
            session.add(row)
            self._put_secret(session, _auditor(account), client_secret)

    def auditor(self, *, account: str) -> AuditorCredentials | None:
        """Return the auditor connection of an account, None where it has none."""
        with self._reading() as session:
            row = session.get(AuditorRow, account)
            if row is None:
                return None
            return AuditorCredentials(
                account=account, client_id=row.client_id, zoom_account_id=row.zoom_account_id,
                client_secret=self._need_secret(session, _auditor(account)),
            )  # fmt: skip


def _pair(app: str, environment: Environment, kind: str) -> Identity:
    return Identity(owner=f"app:{app}/{environment}", kind=kind, app=app, environment=str(environment))


def _auditor(account: str) -> Identity:
    return Identity(owner=f"auditor:{account}", kind=CLIENT_SECRET, account=account)


def _app_record(session: Session, row: AppRow) -> AppRecord:
    rows = session.exec(
        select(AppEnvironmentRow).where(AppEnvironmentRow.app == row.name).order_by(col(AppEnvironmentRow.environment))
    ).all()
    environments = {Environment(found.environment): _environment_record(session, found) for found in rows}
    usage = Usage(row.usage) if row.usage else None
    return AppRecord(name=row.name, owner=row.owner, usage=usage, environments=MappingProxyType(environments))


def _environment_record(session: Session, row: AppEnvironmentRow) -> AppEnvironmentRecord:
    owner = _pair(row.app, Environment(row.environment), "").owner
    kinds = session.exec(select(SealedRow.kind).where(SealedRow.owner == owner)).all()
    return AppEnvironmentRecord(
        environment=Environment(row.environment), client_id=row.client_id or "", app_id=row.app_id,
        redirect_uri=row.redirect_uri, distribution=Distribution(row.distribution) if row.distribution else None,
        has_credentials=CLIENT_SECRET in kinds, has_webhook_secret=WEBHOOK_SECRET in kinds,
        created_at=row.created_at, updated_at=row.updated_at,
    )  # fmt: skip


def _account_record(row: AccountRow, *, has_auditor: bool) -> AccountRecord:
    return AccountRecord(
        label=row.label, email=row.email, account_id=row.zoom_account_id, expected_plan=Plan(row.expected_plan),
        has_auditor=has_auditor, created_at=row.created_at,
    )  # fmt: skip


def _no_app(name: str | None, known: list[str]) -> UserError:
    if not known:
        return UserError("No app is known yet", next_step="Add one: rtms-audit app add NAME --environment production")
    if name is None:
        return UserError(f"There are several apps: {', '.join(known)}", next_step=NAME_ONE)
    return UserError(f"There is no app {name!r}; known are {', '.join(known)}", next_step=NAME_ONE)


def _refuse_while_installed(session: Session, condition: object, what: str) -> None:
    active = select(GrantRow).where(condition, GrantRow.status == GrantStatus.ACTIVE)  # type: ignore[arg-type]
    grants = session.exec(active).all()
    if grants:
        installs = ", ".join(sorted(f"{grant.account}/{grant.environment}" for grant in grants))
        raise UserError(
            f"{what} still has active installs ({installs}), whose tokens would stay valid at Zoom",
            next_step="Revoke them first: rtms-audit installs revoke ACCOUNT --environment ENV",
        )
