"""The texts of findings: plain sentences, every value used, mistakes found when they are loaded."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app import shipped
from app.checks import texts
from app.checks.diagnosis import headline
from app.checks.texts import Text, Values, fill
from app.model.advice import Line
from app.model.finding import Finding, Verdict
from app.model.setting_table import BY_KEY
from app.sip import status
from tests.helpers.outcomes import everything

SETTINGS = {"", "password", *BY_KEY}

SAMPLE = Values(**{name: f"<{name}>" for name in Values.__struct_fields__})
CODES = tuple(code for code in status.codes() if code >= 300)
ALL_IDS = tuple(
    dict.fromkeys(
        [
            *(finding_id for finding_id in texts.ids() if not finding_id.endswith("XX")),
            *(f"CALL-{code}" for code in (*CODES, 399, 499, 599, 699)),
            *(f"REG-{code}" for code in (*CODES, 399, 499, 599, 699)),
        ]
    )
)


JARGON = ("SDP", "RTP", "NAT", "SRV", "NXDOMAIN", "INVITE", "REGISTER", "RTCP", "ICMP", "SBC", "Q.850", "ACK")


def mistakes(finding: Finding) -> list[str]:
    """What is wrong with the words of a finding."""
    found: list[str] = []
    for sentence in (finding.title, finding.meaning, *finding.causes, *finding.do):
        if {"{", "}"} & set(sentence):
            found.append(f"a brace is left: {sentence}")
        if (
            not sentence.endswith((".", "?", "<problem>", "<damage>", "<refused>"))
            or sentence != sentence.strip()
        ):
            found.append(f"no full stop: {sentence}")
    found += [f"jargon in the title: {word}" for word in JARGON if word in finding.title.split()]
    if not finding.title[:1].isupper() and not finding.title.startswith("<"):
        found.append("the title begins small")
    if len(finding.title) > 110:
        found.append("the title is long")
    if finding.field not in SETTINGS:
        found.append(f"no such setting: {finding.field}")
    if finding.verdict in (Verdict.FAIL, Verdict.WARNING) and not (finding.causes and finding.do):
        found.append("a trouble without causes and steps")
    line = headline([finding])
    if not line.endswith(".") or line.endswith("..") or "{" in line or len(line) > 110:
        found.append(f"headline: {line}")
    return found


def test_every_text_reads_as_plain_sentences_with_its_values_filled_in() -> None:
    assert {name: found for name in ALL_IDS if (found := mistakes(fill(name, SAMPLE)))} == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": "It broke {here}."}, "brace"),
        ({"do": ("Do this",)}, "full stop"),
        ({"title": "No SDP came."}, "jargon"),
        ({"field": "nothing"}, "setting"),
        ({"causes": ()}, "without causes"),
    ],
)
def test_the_reading_above_finds_a_mistake(change: dict[str, object], words: str) -> None:
    (found,) = mistakes(replace(fill("NET-NOANS", SAMPLE), **change))
    assert words in found


def test_every_value_is_used_or_it_would_not_be_there() -> None:
    used = set()
    for finding_id in ALL_IDS:
        whole = everything(fill(finding_id, SAMPLE))
        used |= {name for name in Values.__struct_fields__ if f"<{name}>" in whole}
    assert set(Values.__struct_fields__) == used


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": "The {nobody} is there."}, "nobody"),
        ({"title": "The {trunk.id} is there."}, "trunk.id"),
        ({"causes": ("Half {open.",)}, "open"),
        ({"short": "{host} is there"}, "short"),
        ({"headline": "{host} is there."}, "headline"),
        ({"short": ""}, "short is missing"),
        ({"causes": (Line(text="Bad.", when="full-moon"),)}, "full-moon"),
        ({"causes": (Line(text="Bad.", unless=("over-tls", "not full-moon")),)}, "full-moon"),
        ({"do": (Line(text="Set it.", sets=("host={nowhere}",)),)}, "nowhere"),
    ],
)
def test_a_wrong_text_is_found_when_it_is_loaded(change: dict[str, object], words: str) -> None:
    good = Text(id="X-1", verdict=Verdict.FAIL, title="The {host} is there.", short="it is there")
    texts.check((good,))
    with pytest.raises(shipped.ShippedDataError, match=r"app\.checks/data: X-1") as caught:
        texts.check((replace(good, **change),))
    assert words in str(caught.value)


def test_an_id_given_twice_is_found() -> None:
    good = Text(id="X-1", verdict=Verdict.FAIL, title="It is there.", short="it is there")
    with pytest.raises(shipped.ShippedDataError, match="twice"):
        texts.check((good, good))
