"""Adding a trunk: which provider, how it signs in, where to, which numbers; as a draft of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from app.errors import SettingError
from app.flows.answers import also_in, mend_answer, problem_of
from app.flows.fields import (
    METHOD_WORDS,
    credential_field,
    port_of,
    question_field,
    setting_field,
    usable_methods,
)
from app.flows.form import PASSWORD, SERVER, FormField, Mend, Problem, WizardPage
from app.model.setting_table import BY_KEY, Kind
from app.model.settings import new_trunk
from app.model.trunk import SignIn, Transport, Trunk
from app.providers import catalogue
from app.providers.catalogue import braces, fill
from app.providers.schema import Field, Method, Page, Provider, Question, Server, SignInFacts

OTHER = ""
"""In place of a provider's id: one that is not in the catalogue."""

_PAGES = {Page.SIGN_IN: WizardPage.SIGN_IN, Page.SERVER: WizardPage.SERVER, Page.NUMBERS: WizardPage.NUMBERS}
_OF_SIGN_IN = frozenset({"name", "provider", "sign_in", "user", "auth_id", "realm", PASSWORD})
_OF_SERVER = frozenset(
    {
        "host",
        "port",
        "transport",
        "backup_hosts",
        "proxy",
        "ca_file",
        "expires",
        "keep_alive",
        "public_address",
        "from_host",
    }
)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What has been answered so far; the password is not in it.

    Attributes:
        provider: Its id, or `OTHER`.
        sign_in: How it signs in.
        answers: As typed, by the key of the field.
    """

    provider: str = OTHER
    sign_in: SignIn = SignIn.REGISTER
    answers: Mapping[str, str] = {}


class AddTrunk:
    """The state of one wizard: a draft for each provider that was looked at, so that nothing is lost.

    Args:
        taken_names: Names that trunks have already.
    """

    def __init__(self, taken_names: Iterable[str] = ()) -> None:
        self._taken = {name.casefold() for name in taken_names}
        self._drafts: dict[str, Draft] = {}
        self.draft = Draft()

    @property
    def provider(self) -> Provider | None:
        """The chosen provider's facts; None for another one."""
        return None if self.draft.provider == OTHER else catalogue.find(self.draft.provider)

    @property
    def answered(self) -> bool:
        """Whether something was answered, for whichever provider."""
        return any(draft.answers for draft in (self.draft, *self._drafts.values()))

    def choose_provider(self, provider_id: str) -> None:
        """Go on with this provider, with what was answered for it before.

        Raises:
            SettingError: The catalogue has none of this id.
        """
        self._drafts[self.draft.provider] = self.draft
        known = self._drafts.get(provider_id)
        if known is None:
            provider = None if provider_id == OTHER else catalogue.find(provider_id)
            methods = usable_methods(provider)
            known = Draft(provider=provider_id, sign_in=methods[0])
        self.draft = known

    def choose_sign_in(self, sign_in: SignIn) -> None:
        """Sign in another way; answers are kept."""
        self.draft = msgspec.structs.replace(self.draft, sign_in=sign_in)

    def answer(self, key: str, text: str) -> None:
        """Take what was typed into a field; `sign_in` is understood as well."""
        if key == "sign_in":
            self.choose_sign_in(SignIn(text))
            return
        assert key != PASSWORD, "a draft holds no password"
        self.draft = msgspec.structs.replace(self.draft, answers={**self.draft.answers, key: text})

    def mend(self, key: str) -> Mend | None:
        """Put right what a field holds, such as `sip:` in front or blanks around; None when all is well."""
        text = self.draft.answers.get(key, "")
        mended, what = mend_answer(key, text, self._templates())
        if mended == text:
            return None
        asked = {field.key for page in WizardPage for field in self.fields(page)}
        others = also_in(key, text)
        for other, value in others.items():
            if other in asked:
                self.answer(other, value)
        if not asked.issuperset(others):
            what = f"Only {mended} is needed here."
        self.answer(key, mended)
        return Mend(key=key, text=mended, what=what)

    # Pages

    def fields(self, page: WizardPage) -> tuple[FormField, ...]:
        """The fields of a page, in order, with what they hold now."""
        if page is WizardPage.SIGN_IN:
            found = self._sign_in_fields()
        elif page is WizardPage.SERVER:
            found = self._server_fields()
        elif page is WizardPage.NUMBERS:
            found = self._number_fields()
        else:
            found = []
        preset = self._presets()
        return tuple(
            msgspec.structs.replace(
                field, value=self.draft.answers.get(field.key, field.value or preset.get(field.key, ""))
            )
            for field in found
        )

    def problems(self, page: WizardPage, *, password: str = "") -> tuple[Problem, ...]:
        """What keeps a page from being done; none when it is.

        Args:
            page: Which page.
            password: What is typed into the password's field.
        """
        found: list[Problem] = []
        for field in self.fields(page):
            if field.key == PASSWORD:
                problem = problem_of(field, password, self._field_rules(field.key))
            elif field.key == "name" and field.value.strip().casefold() in self._taken:
                problem = Problem(key="name", text="Another trunk has this name. Choose another one.")
            else:
                problem = problem_of(field, field.value, self._field_rules(field.key))
            if problem:
                found.append(problem)
        return tuple(found)

    def page_of(self, key: str) -> tuple[WizardPage, str]:
        """Where a setting is asked for: the page, and the field that decides it."""
        for question in self._questions():
            if question.key == key:
                return _PAGES[question.page], key
        if key == "host":
            facts = self._facts()
            template = (facts.host if facts else "") or self._server()
            for question in self._questions():
                if question.key in braces(template):
                    return _PAGES[question.page], question.key
            return WizardPage.SERVER, SERVER if self.servers() else "host"
        if key in _OF_SIGN_IN:
            return WizardPage.SIGN_IN, key
        return (WizardPage.SERVER if key in _OF_SERVER else WizardPage.NUMBERS), key

    # Results

    def settings(self) -> dict[str, str]:
        """The settings of the trunk, as `ringback add --set` takes them; the name is among them."""
        draft, provider, facts = self.draft, self.provider, self._facts()
        answers = {key: text.strip() for key, text in draft.answers.items()}
        found = catalogue.defaults(draft.provider, draft.sign_in)
        found |= {"provider": draft.provider, "sign_in": draft.sign_in, "name": self.name}
        values = {question.key: self._value(question) for question in self._questions()}
        server = fill(self._server(), values)
        values[catalogue.SERVER_KEY] = server
        if provider is not None:
            found["host"] = fill(facts.host, values) if facts and facts.host else server
            if facts and facts.proxy:
                found["proxy"] = fill(facts.proxy, values)
        for question in self._questions():
            for choice in question.choices:
                if choice.value == values[question.key]:
                    found |= choice.sets
        asked = {field.key for page in WizardPage for field in self.fields(page)}
        for key, text in answers.items():
            # A field that this way to sign in does not have keeps its answer, but says nothing
            if key in BY_KEY and key in asked and (text or key not in found):
                found[key] = text
        if provider is not None and not answers.get("port"):
            found["port"] = port_of(provider, found.get("transport", ""))
        return found

    def trunk(self, trunk_id: str = "") -> Trunk:
        """The trunk that would be saved.

        Raises:
            SettingError: Something is missing or wrong; `page_of(error.field)` tells where to mend it.
        """
        settings = self.settings()
        return new_trunk(trunk_id, settings.pop("name"), settings)[0]

    @property
    def name(self) -> str:
        """What the trunk is called: as typed, or after its provider, with a number when that is taken."""
        typed = self.draft.answers.get("name", "").strip()
        if typed:
            return typed
        provider = self.provider
        base = (provider.name.partition(" (")[0] if provider else "My trunk")[:60]
        name, number = base, 2
        while name.casefold() in self._taken:
            name, number = f"{base} {number}", number + 1
        return name

    def servers(self) -> tuple[Server, ...]:
        """The provider's servers for this way to sign in, as hosts with the answers filled in."""
        provider = self.provider
        if provider is None:
            return ()
        method = Method(self.draft.sign_in.value)
        return tuple(
            server for server in provider.signalling.servers if not server.methods or method in server.methods
        )

    def server_hosts(self) -> tuple[tuple[str, Server], ...]:
        """Each server with its name as it would be asked; those that still lack an answer are left out."""
        values = {question.key: self._value(question) for question in self._questions()}
        return tuple(
            (fill(server.host, values), server)
            for server in self.servers()
            if all(values.get(key) for key in braces(server.host))
        )

    @property
    def needs_password(self) -> bool:
        """Whether this way to sign in takes a password."""
        return self.draft.sign_in is not SignIn.ADDRESS

    # Parts

    def _facts(self) -> SignInFacts | None:
        provider = self.provider
        return provider.sign_in(Method(self.draft.sign_in.value)) if provider else None

    def _questions(self) -> tuple[Question, ...]:
        provider = self.provider
        if provider is None:
            return ()
        method = Method(self.draft.sign_in.value)
        return tuple(
            question for question in provider.questions if not question.methods or method in question.methods
        )

    def _value(self, question: Question) -> str:
        preset = question.choices[0].value if question.choices else ""
        return self.draft.answers.get(question.key, preset).strip()

    def _server(self) -> str:
        """The chosen server, with its braces, or what was typed in place of one."""
        typed = self.draft.answers.get(SERVER, "").strip()
        if typed:
            return typed
        servers = self.servers()
        return servers[0].host if servers else self.draft.answers.get("host", "").strip()

    def _templates(self) -> tuple[str, ...]:
        facts = self._facts()
        texts = [server.host for server in self.servers()]
        return tuple(texts + ([facts.host, facts.proxy] if facts else []))

    def _presets(self) -> dict[str, str]:
        return {**catalogue.defaults(self.draft.provider, self.draft.sign_in), "name": self.name}

    def _field_rules(self, key: str) -> Field | None:
        facts = self._facts()
        if facts and key in ("user", "auth_id", PASSWORD):
            found: Field | None = getattr(facts, key)
            return found
        return next((question.field for question in self._questions() if question.key == key), None)

    def _asked_on(self, page: Page) -> list[FormField]:
        return [question_field(question) for question in self._questions() if question.page is page]

    def _sign_in_fields(self) -> list[FormField]:
        provider, facts = self.provider, self._facts()
        found = [setting_field("name", required=True)]
        methods = usable_methods(provider)
        if len(methods) > 1:
            found.append(
                FormField(
                    key="sign_in",
                    label="How you sign in",
                    help=facts.note if facts else BY_KEY["sign_in"].help,
                    where=facts.where if facts else "",
                    kind=Kind.CHOICE,
                    choices=methods,
                    words=tuple(METHOD_WORDS[method] for method in methods),
                    value=self.draft.sign_in,
                )
            )
        if self.needs_password:
            found.append(credential_field("user", facts.user if facts else None))
            if provider is None or (facts and facts.auth_id):
                found.append(credential_field("auth_id", facts.auth_id if facts else None))
            found.append(credential_field(PASSWORD, facts.password if facts else None))
        return found + self._asked_on(Page.SIGN_IN)

    def _server_fields(self) -> list[FormField]:
        provider = self.provider
        questions = self._asked_on(Page.SERVER)
        servers = self.servers()
        if provider is None or not servers:
            facts = self._facts()
            host = [] if facts and facts.host else [setting_field("host", required=True)]
            asked = {question.key for question in questions}
            more = [*host, *self._transport_fields(), setting_field("proxy"), setting_field("backup_hosts")]
            return [*questions, *(field for field in more if field.key not in asked)]
        found = questions
        if len(servers) > 1 or not braces(servers[0].host):
            words = tuple(
                f"{server.host}  ({server.region})" if server.region else server.host for server in servers
            )
            found.append(
                FormField(
                    key=SERVER,
                    label="Server",
                    help="Choose the one nearest to you, or type the one that your provider gave you.",
                    required=True,
                    kind=Kind.CHOICE,
                    choices=tuple(server.host for server in servers),
                    words=words,
                    free=True,
                    value=servers[0].host,
                )
            )
        return [*found, *self._transport_fields()]

    def _transport_fields(self) -> list[FormField]:
        provider = self.provider
        offered = provider.signalling.transports if provider else ()
        setting = BY_KEY["transport"]
        choices = tuple(facts.protocol for facts in offered) or tuple(Transport)
        field = FormField(
            key="transport",
            label=setting.label,
            help=setting.help,
            kind=Kind.CHOICE,
            choices=choices,
            words=tuple(f"{choice.upper()}" for choice in choices),
            value=choices[0],
        )
        by_choice = {
            key for question in self._questions() for choice in question.choices for key in choice.sets
        }
        one_only = len(choices) == 1 or "transport" in by_choice
        return ([] if one_only else [field]) + [setting_field("port")]

    def _number_fields(self) -> list[FormField]:
        provider = self.provider
        questions = self._asked_on(Page.NUMBERS)
        asked = {question.key for question in self._questions()}
        found = [setting_field("country")] if "country" not in asked else []
        if "caller_id" not in asked:
            found.append(setting_field("caller_id"))
        found += questions
        if provider is None or provider.numbers.destination is None:
            found.append(setting_field("number_format"))
        if provider is None or provider.numbers.caller_id is None:
            found.append(setting_field("caller_id_format"))
        return found + [setting_field(key) for key in ("dids", "channels") if key not in asked]


def refusal_of(flow: AddTrunk, password: str) -> SettingError | None:
    """Why the draft can't be saved as it is, or None: every page's problems, then the trunk as a whole."""
    for page in (WizardPage.SIGN_IN, WizardPage.SERVER, WizardPage.NUMBERS):
        for problem in flow.problems(page, password=password):
            return SettingError(problem.text, field=problem.key)
    try:
        flow.trunk()
    except SettingError as error:
        return error
    return None
