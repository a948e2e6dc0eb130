"""Whatever a far end says: findings, plain text on one line, and no trunk that works against the evidence."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from app.checks.diagnosis import explain_call, explain_registration, headline, worst
from app.checks.phrases import ended_call, refused_call, refused_registration
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    RegisterOutcome,
    StreamFigures,
)
from app.model.signalling import (
    Bindings,
    ChallengeFacts,
    DialogFacts,
    Explanation,
    Handling,
    IcmpError,
    MessageProblem,
    Purpose,
    SentRequest,
    Trouble,
    Unreachable,
)
from app.model.trunk import NumberFormat, SignIn, Srtp, Transport, Trunk, TrunkState, Use
from app.sip.status import reasons
from tests.helpers.outcomes import TRUNK

ROUNDS = 400
PIECES = (
    *(
        "",
        " ",
        "a",
        "Ü",
        "\x00",
        "\x1b[31m",
        "\r\n",
        "\u202e",
        "{host}",
        "{",
        "}",
        "%s",
        "<b>",
        '"',
        "\\",
        ";",
    ),
    *("cause=102", "Q.850", "SIP", ",", "text=", "*", "sip:", "tel:+49", "@", "[::1]", "300", "\U0001f600"),
    *("RTP timeout", "credit", "limit exceeded", "not", "allowed", "caller id", "0" * 50, "channel"),
)


@dataclass
class Dice:
    """Values by chance, the same for the same seed."""

    seed: int

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def text(self) -> str:
        return "".join(self.random.choices(PIECES, k=self.random.randrange(7)))

    def texts(self) -> tuple[str, ...]:
        return tuple(self.text() for _ in range(self.random.randrange(4)))

    def one(self, *values: object) -> object:
        return self.random.choice(values)

    def count(self) -> int:
        return self.random.choice((0, 1, 2, 3, 12, 5000))

    def explanation(self) -> Explanation:
        return Explanation(
            warnings=self.texts(),
            retry_after_s=self.one(None, -1, 0, 7, 10**9),  # type: ignore[arg-type]  # one of these
            contacts=self.texts(),
            reasons=self.texts(),
            error_info=self.texts(),
            call_info=self.texts(),
            unsupported=self.texts(),
            requires=self.texts(),
            accepts=self.texts(),
            allows=self.texts(),
            min_expires_s=self.one(None, -1, 0, 600, 10**9),  # type: ignore[arg-type]  # one of these
            text=self.text(),
            server=self.text(),
        )

    def problems(self) -> tuple[MessageProblem, ...]:
        return tuple(
            MessageProblem(
                start=self.text(),
                header=self.text(),
                line=self.text(),
                what=self.text(),
                handling=self.random.choice(list(Handling)),
                peer=self.text(),
            )
            for _ in range(self.random.randrange(3))
        )

    def challenge(self) -> ChallengeFacts | None:
        if self.random.random() < 0.5:
            return None
        return ChallengeFacts(
            schemes=self.texts(),
            algorithms=self.texts(),
            qop=self.texts(),
            stale=self.count(),
            answered=self.random.random() < 0.5,
            usable=self.random.random() < 0.5,
        )

    def icmp(self) -> IcmpError | None:
        if self.random.random() < 0.7:
            return None
        kind = self.random.choice(list(Unreachable))
        return IcmpError(kind=kind, reported_by=self.text(), target=self.text())

    def dialog(self) -> DialogFacts:
        return DialogFacts(
            answer_repeats=self.count(),
            acknowledged=self.random.choice((None, True, False)),
            requests=tuple(
                SentRequest(
                    method=self.text(),
                    purpose=self.random.choice(list(Purpose)),
                    code=self.random.choice((0, 200, 405, 481, 500)),
                    reason=self.text(),
                    left=self.random.random() < 0.8,
                    obstacle=self.text() if self.random.random() < 0.2 else "",
                    after_s=self.random.uniform(-5, 40),
                )
                for _ in range(self.random.randrange(5))
            ),
            problems=self.problems(),
            answer_direction=self.random.choice(("", "sendrecv", "inactive", "recvonly", self.text())),
            far_codecs=self.texts(),
            ended_by_bye=self.random.random() < 0.5,
            session_timer=self.random.random() < 0.2,
            keys_in_clear=self.random.random() < 0.2,
            altered=self.texts(),
        )

    def trunk(self) -> Trunk:
        return Trunk(
            id="1",
            name="Office",
            host="sip.example.test",
            user=self.random.choice(("", "1234", "a%231", "a%22b")),
            realm=self.random.choice(("*", "", "x")),
            transport=self.random.choice(list(Transport)),
            sign_in=self.random.choice(list(SignIn)),
            srtp=self.random.choice(list(Srtp)),
            session_timer=self.random.choice(list(Use)),
            number_format=self.random.choice(list(NumberFormat)),
            country=self.random.choice(("", "GB", "US", "XX")),
            provider=self.random.choice(("", "telnyx", "twilio", "voipms", "nobody")),
            proxy=self.random.choice(("", "proxy.example.test")),
        )

    def common(self) -> dict[str, object]:
        return {
            "trunk": "Office",
            "sip_code": self.random.choice((0, 100, 200, 302, 401, 403, 423, 488, 503, 608, 699)),
            "reason": self.text(),
            "answered_by": self.random.choice([None, *AnsweredBy]),
            "local_cause": self.random.choice([LocalCause.NONE, LocalCause.NONE, *LocalCause]),
            "realms": self.texts(),
            "explanation": self.explanation(),
            "challenge": self.challenge(),
            "icmp": self.icmp(),
            "had_password": self.random.random() < 0.5,
        }

    def registration(self) -> RegisterOutcome:
        bindings = Bindings(asked_s=300, ours_s=self.random.choice((None, 0, 20, 300)), others=self.count())
        return RegisterOutcome(
            **self.common(),  # type: ignore[arg-type]  # by key
            state=self.random.choice(list(TrunkState)),
            challenges=self.count(),
            bindings=self.random.choice((None, bindings)),
            problems=self.problems(),
            altered=self.texts(),
            lost_after_s=self.random.choice((None, 75.5)),
        )

    def call(self) -> CallOutcome:
        media = MediaFigures(
            tx=StreamFigures(packets=self.count(), lost=self.count(), reported=self.count()),
            rx=StreamFigures(packets=self.count(), discarded=self.count()),
            stopped_s=self.random.choice((None, 0.0, 9.0)),
            longest_gap_s=self.random.choice((0.0, 9.0)),
        )
        return CallOutcome(
            **self.common(),  # type: ignore[arg-type]  # by key
            number=self.text(),
            dialled=self.text(),
            result=self.random.choice(list(CallResult)),
            reason_header=self.text(),
            setup_ms=self.random.choice((None, 90.0, 9000.0)),
            duration_s=self.random.choice((0.0, 1.0, 6.4, 10.0, 32.0)),
            hung_up_by=self.random.choice(list(HungUpBy)),
            early_media=self.random.random() < 0.2,
            media=self.random.choice((None, media)),
            heard=self.random.choice((None, True, False)),
            dialog=self.dialog(),
            troubles=tuple(
                Trouble(step=self.text(), what=self.text(), do=self.text(), details=self.text())
                for _ in range(self.random.randrange(3))
            ),
        )


def check(findings: tuple[Finding, ...]) -> None:
    """Each is whole, plain and on one line."""
    assert findings
    line = headline(findings)
    assert line.isprintable()
    if line == "This trunk works.":
        assert worst(findings) is Verdict.PASS
    for finding in findings:
        for text in (finding.title, finding.meaning, *finding.causes, *finding.do, *finding.evidence):
            assert text.isprintable(), ascii(text)
        if finding.verdict in (Verdict.FAIL, Verdict.WARNING):
            assert finding.causes, finding.id
            assert finding.do, finding.id


def test_any_registration_is_explained() -> None:
    for seed in range(ROUNDS):
        dice = Dice(seed)
        trunk = dice.trunk()
        check(explain_registration(dice.registration(), trunk))


@pytest.mark.parametrize("direction", list(Direction))
def test_any_call_is_explained(direction: Direction) -> None:
    for seed in range(ROUNDS):
        dice = Dice(seed)
        trunk = dice.trunk()
        check(explain_call(dice.call(), trunk, direction=direction))


def test_any_text_can_be_a_phrase_or_a_reason() -> None:
    dice = Dice(7)
    for _ in range(ROUNDS):
        text = " ".join(dice.texts())
        assert isinstance(refused_call(text, 403, TRUNK), str)
        assert isinstance(refused_registration(text, 403, TRUNK), str)
        assert isinstance(ended_call(text, TRUNK), str)
        for reason in reasons(text):
            assert 0 <= reason.cause <= 999
