"""Who comes in: digest challenges, and what the provider that is played refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.providers.schema import Mistake
from app.sip.carrier.digest import REALM, DigestGuard, Verdict
from app.sip.carrier.judge import wrong_host
from app.sip.carrier.profile import Answer, Profile
from app.sip.carrier.profile_facts import chosen
from app.sip.carrier.received import Received
from app.sip.carrier.sipmessage import ALLOW, Headers, response_to
from app.sip.carrier.transactions import ServerTransaction
from app.sip.syntax.message import Message


def answer(transaction: ServerTransaction, code: int, reason: str = "", headers: Headers = ()) -> Message:
    """Send a response; returns it."""
    response = response_to(transaction.request, code, reason, headers=headers)
    transaction.respond(response)
    return response


class Gate:
    """Lets requests through or answers them.

    Args:
        digest: Challenges and checks.
        users: Name that signs in to its account.
        profile: The provider that is played, if any.
        host: Address for Warning headers.
        note: Gets one line for people for everybody who is turned away.
    """

    def __init__(
        self,
        digest: DigestGuard,
        users: Mapping[str, str],
        profile: Profile | None,
        host: str,
        note: Callable[[str], None],
    ) -> None:
        self._digest = digest
        self._users = users
        self._profile = profile
        self._host = host
        self._note = note

    def deny(self, transaction: ServerTransaction, denial: Answer, who: str) -> None:
        """Refuse as the provider that is played does, be it with silence or a challenge."""
        if denial.code == 0:
            transaction.ignore()
            self._note(f"{who} gets no answer: {denial.why}")
            return
        if denial.code in (401, 407):
            self._challenge(transaction, denial.code)
            self._note(f"{who} challenged with {denial.code}{chosen(denial)}: {denial.why}")
            return
        text = denial.why.replace('"', "'").replace("\\", "/")
        headers = [("Warning", f'399 {self._host} "{text}"')]
        if denial.code == 405:
            headers.append(("Allow", ALLOW.replace(", REGISTER", "")))
        response = answer(transaction, denial.code, denial.reason, headers)
        words = f"{denial.code} {response.phrase}".rstrip()
        self._note(f"{who} refused: {words}{chosen(denial)}: {denial.why}")

    def names_wrong_host(self, transaction: ServerTransaction) -> bool:
        """Whether a request was denied because of the host in its URI."""
        request = transaction.request
        host = _host(request)
        denial = wrong_host(self._profile, host) if self._profile else None
        if denial:
            self.deny(
                transaction, denial, f"{request.head.method} for the host {host} from {transaction.peer}"
            )
        return denial is not None

    def _realm(self, request: Received) -> str:
        realm = self._profile.realm_for(_host(request)) if self._profile else ""
        return realm or REALM

    def _challenge(self, transaction: ServerTransaction, code: int, *, stale: bool = False) -> None:
        name = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
        values = self._digest.challenges(stale=stale, realm=self._realm(transaction.request))
        answer(transaction, code, headers=[(name, value) for value in values])

    def authenticated(self, transaction: ServerTransaction, code: int) -> str:
        """The account that sent a request; empty when it was answered with a challenge or a refusal.

        Args:
            transaction: The request's.
            code: What it is challenged with: 401, or 407 as a proxy does.
        """
        header = "authorization" if code == 401 else "proxy-authorization"
        request = transaction.request
        method, message = request.head.method, request.message
        values = [found.value for found in message.named(header)]
        check = self._digest.check(values, method, message.uri, self._realm(request))
        denial = self._profile.answer(Mistake.CREDENTIALS) if self._profile else None
        match check.verdict:
            case Verdict.ACCEPTED:
                return self._users[check.user]
            case Verdict.UNKNOWN_USER | Verdict.WRONG if denial and denial.code not in (401, 407):
                self.deny(transaction, denial, f"{method} from {transaction.peer} as {check.user}")
            case Verdict.UNKNOWN_USER:
                to = request.head.to.uri.user if request.head.to else ""
                unknown = method == "REGISTER" and to not in self._users.values()
                answer(transaction, 404 if unknown else 403)
                self._note(f"{method} from {transaction.peer}: no account {check.user!r}")
            case Verdict.MALFORMED:
                answer(transaction, 400, check.reason)
                self._note(f"{method} from {transaction.peer}: {check.reason}")
            case _:
                self._challenge(transaction, code, stale=check.verdict is Verdict.STALE)
                if check.verdict is Verdict.WRONG:
                    self._note(f"{method} from {transaction.peer}: wrong password for {check.user}")
        return ""


def _host(request: Received) -> str:
    return request.head.uri.host if request.head.uri else ""
