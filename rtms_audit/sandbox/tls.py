"""A certificate for `wss`, made by trustme (an optional package) and written out for `ZM_RTMS_CA`."""

from dataclasses import dataclass
from pathlib import Path

from rtms_audit.errors import UserError

NAME = "localhost"
"""Zoom's SDK checks a DNS name and refuses an IP address in the certificate."""


@dataclass(frozen=True)
class Certificate:
    """PEM files: the authority a client must trust, and what the server shows."""

    ca: Path
    chain: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Write a fresh authority and a certificate for `localhost` into `folder`.

    Raises UserError where trustme is not installed or the folder cannot be written.
    """
    try:
        import trustme
    except ImportError as error:
        raise UserError(
            "A sandbox with TLS needs the package trustme.", next_step="Install it with `pip install trustme`."
        ) from error
    authority = trustme.CA()
    issued = authority.issue_cert(NAME)
    certificate = Certificate(folder / "sandbox-ca.pem", folder / "sandbox-chain.pem", folder / "sandbox-key.pem")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        authority.cert_pem.write_to_path(certificate.ca)
        certificate.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        certificate.key.touch(mode=0o600)
        issued.private_key_pem.write_to_path(certificate.key)
    except OSError as error:
        raise UserError(f"The certificate cannot be written into {folder}: {error.strerror}.") from error
    return certificate
