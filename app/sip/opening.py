"""From a trunk's settings to what an engine is told: the servers to try, and the account at one of them."""

from __future__ import annotations

from app.model.host import HostPort, parse_host_port
from app.model.numbering import write_caller_id
from app.model.outcome import Target
from app.model.trunk import FromHost, Trunk
from app.model.typed import Typed
from app.providers import catalogue
from app.sip.messages import OpenAccount


def servers(trunk: Trunk) -> tuple[HostPort, ...]:
    """The host of a trunk and its backups, in order; through a proxy there is one way only."""
    first = HostPort(host=trunk.host, port=trunk.port)
    if trunk.proxy:
        return (first,)
    backups = (parse_host_port(Typed("backup_hosts", "Backup hosts", text)) for text in trunk.backup_hosts)
    return (first, *backups)


def account_of(
    trunk: Trunk,
    password: str,
    server: HostPort,
    target: Target,
    *,
    servers: tuple[str, ...] = (),
    quarantine: tuple[str, ...] = (),
) -> OpenAccount:
    """The account of a trunk at one of its servers.

    Args:
        trunk: Its settings.
        password: Its secret; left out when the trunk signs in without one.
        server: What the URIs carry, and the name that a certificate must be for.
        target: The address to send to.
        servers: The other addresses that the trunk's servers have, as far as they are known.
        quarantine: Fingerprints of messages that ended an engine before.
    """
    return OpenAccount(
        user=trunk.user,
        host=server.host,
        port=server.port,
        auth_id=trunk.sign_in_name,
        password=password if trunk.needs_password else "",
        realm=trunk.realm,
        caller_id=write_caller_id(trunk).text,
        expires=trunk.expires,
        register=trunk.register,
        codecs=trunk.codecs,
        target=target,
        ca_file=trunk.ca_file,
        tls_pin=trunk.tls_pin,
        keep_alive_s=trunk.keep_alive,
        public_address=trunk.public_address,
        from_host=trunk.public_address if trunk.from_host is FromHost.PUBLIC_ADDRESS else "",
        caller_id_header=trunk.caller_id_header,
        privacy=trunk.privacy,
        allow_in=trunk.allow_in,
        srtp=trunk.srtp,
        dtmf=trunk.dtmf,
        session_timer=trunk.session_timer,
        session_expires=trunk.session_expires,
        prack=trunk.prack,
        quarantine=quarantine,
        dids=trunk.dids,
        servers=servers,
        networks=_networks(trunk),
    )


def _networks(trunk: Trunk) -> tuple[str, ...]:
    """The networks that the provider's calls come from, where they are known."""
    if trunk.provider not in catalogue.IDS:
        return ()
    return catalogue.find(trunk.provider).network.signalling
