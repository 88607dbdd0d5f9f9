"""Who is signed in: gives an access token that is not spent, refreshed once for all who ask at the same time."""

from __future__ import annotations

import asyncio
import contextlib

from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.hosted import tokens as kept
from qverify_desktop.hosted.sign_in import DeviceCode, SignIn, SignInRefused
from qverify_desktop.hosted.tokens import Tokens, Vault


class Session:
    """The sign-in of this installation. Used inside one running loop; the process that owns the state folder has the only one."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._renewing: asyncio.Task[str] | None = None
        self._held: Tokens | None = None

    async def tokens(self) -> Tokens | None:
        """The sign-in that is kept, ``None`` for none. A vault may be slow, and is asked until it gave one."""
        if self._held is None:
            self._held = await asyncio.to_thread(kept.load, self._vault)
        return self._held

    async def keep(self, tokens: Tokens, store: str = "", passphrase: str = "") -> None:
        """Keep a sign-in (empty ``store``: where it is, or where keys are kept). Raises like the vault."""
        await asyncio.to_thread(kept.keep, self._vault, tokens, store, passphrase)
        self._held = tokens

    async def _forget(self) -> None:
        self._held = None
        await asyncio.to_thread(kept.forget, self._vault)

    async def access(self, sign_in: SignIn, refused: str = "") -> str:
        """An access token. ``refused`` is one that the service did not take: another is got then. Raises ``HostedFailure``."""
        found = await self.tokens()
        if (
            found is not None
            and found.issuer == sign_in.issuer
            and not found.spent
            and found.access not in ("", refused)
        ):
            return found.access
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._renew(sign_in))
            self._renewing.add_done_callback(self._renewed)
        # A refresh token may be good for one use: whoever stops waiting must not lose what comes in its place.
        return await asyncio.shield(self._renewing)

    async def _renew(self, sign_in: SignIn) -> str:
        found = await self.tokens()
        if found is None or found.issuer != sign_in.issuer:
            raise HostedFailure("Nobody is signed in to the hosted service. Nothing was sent.", _SIGN_IN, status=401)
        if not found.refresh:
            await self._forget()
            raise HostedFailure(
                "The sign-in to the hosted service has expired. Nothing was sent.", _SIGN_IN, status=401
            )
        try:
            new = await sign_in.refresh(found)
        except SignInRefused as error:
            await self._forget()
            raise HostedFailure(error.sentence, error.remedy, status=401) from None
        await self.keep(new)
        return new.access

    def _renewed(self, task: asyncio.Task[str]) -> None:
        self._renewing = None
        if not task.cancelled():
            # Looked at, so that nothing is said of a failure whose waiters have left.
            task.exception()

    async def finish(self, sign_in: SignIn, code: DeviceCode, store: str = "", passphrase: str = "") -> Tokens:
        """Wait for the person's yes and keep the sign-in. Raises like ``SignIn.wait`` and the vault."""
        new = await sign_in.wait(code)
        await self.keep(new, store, passphrase)
        return new

    async def end(self, sign_in: SignIn | None) -> str:
        """Sign out: revoke at the issuer, then forget here, whatever the issuer says. Answers a sentence."""
        found = await self.tokens()
        revoked = False
        if found is not None and sign_in is not None and found.issuer == sign_in.issuer:
            with contextlib.suppress(HostedFailure):
                revoked = await sign_in.revoke(found)
        await self._forget()
        if found is None:
            return "Nobody was signed in."
        if revoked:
            return "You are signed out, and the sign-in was revoked."
        return "You are signed out here. The sign-in could not be revoked at its issuer; it ends there by itself."


_SIGN_IN = "Sign in: qverify hosted sign-in"
