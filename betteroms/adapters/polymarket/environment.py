"""The venue's own client, pointed at the hosts of our settings.

The client has no public way to name other hosts: this is the one place that goes around that, with the minor
version pinned and a test that says when it breaks.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from betteroms.domain.secret import Secret
from betteroms.domain.wallet import ApiCredentials

if TYPE_CHECKING:
    from polymarket import ApiKeyCreds, Environment


class Hosts(Protocol):
    """Where the venue is, as the operator may set it."""

    @property
    def clob_url(self) -> str: ...
    @property
    def gamma_url(self) -> str: ...
    @property
    def data_url(self) -> str: ...
    @property
    def relayer_url(self) -> str: ...
    @property
    def rpc_url(self) -> Secret: ...
    @property
    def ws_url(self) -> str: ...


def environment(settings: Hosts) -> "Environment":
    """Production as the client knows it, with our hosts in the place of its own."""
    from polymarket import environments

    sockets = settings.ws_url
    config = replace(
        environments.PRODUCTION._config,
        clob_url=settings.clob_url,
        gamma_url=settings.gamma_url,
        data_url=settings.data_url,
        relayer_url=settings.relayer_url,
        rpc_url=settings.rpc_url.reveal(),
        clob_market_ws_url=f"{sockets}/market",
        clob_user_ws_url=f"{sockets}/user",
    )
    return environments._create_environment(name="betteroms", config=config)


def revealed(credentials: ApiCredentials) -> "ApiKeyCreds":
    """The credentials as the client takes them."""
    from polymarket import ApiKeyCreds

    return ApiKeyCreds(
        key=credentials.key.reveal(),
        secret=credentials.secret.reveal(),
        passphrase=credentials.passphrase.reveal(),
    )
