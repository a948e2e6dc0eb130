r"""Hostile SIP messages as templates: what broke an earlier build, and more of each kind.

    @pytest.mark.parametrize("hostile", chosen("A", "M3"), ids=str)
    def test_...(hostile):
        request = await far.next("REGISTER")
        far.send(hostile.filled(answer_values(request, server=..., source=...)))

`messages/bases.toml` has complete, harmless messages; the other files change a line or two of them, so that a
file shows what is hostile and nothing else. A file is a list of groups, a group a list of cases:

    [[group]]
    name = "contact-scheme"
    section = "A"                     # of the issue that saw it first
    wrong = "…"                       # what an earlier build did
    right = "…"                       # what has to happen
    base = "invite-200"
    examples = ["contact-tel"]        # the ones that were seen; the rest is more of the same kind
    values = { tel = 'tel:+4930123', http = 'http://a.invalid/' }
    [[group.case]]
    name = "contact"                  # becomes contact-tel and contact-http
    set = ['Contact: <{value}>']

Texts are literal strings ('…'): `\xE9` stands for the octet, `<repeat 300>a</repeat>` for 300 of them.
`{via}`, `{call_id}` and so on are filled in when the message is sent; `hostile_values.PLACEHOLDERS` has them
all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from app.model.trunk import Transport
from app.shipped import ShippedDataError, parse
from tests.hostile.hostile_values import PLACEHOLDERS

FOLDER = Path(__file__).parent / "messages"

_PLACEHOLDER = re.compile(rb"\{([a-z_]+)\}")
_REPEAT = re.compile(r"<repeat (\d+)>(.*?)</repeat>", re.DOTALL)
_OCTET = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_VALUE = "{value}"
_END = b"\r\n\r\n"

Section = Annotated[str, msgspec.Meta(pattern=r"^([A-L]|M\d+)$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Base(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A harmless message.

    Attributes:
        answers: The method it answers; empty for a request, and for an answer to any method.
        request: Whether it is a request.
        inside: Whether it belongs to a call that is in progress.
        text: All of it, with line feeds.
    """

    answers: str = ""
    request: bool = False
    inside: bool = False
    text: str


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes it hostile.

    Attributes:
        name: Of the case. With `{value}` in any text, there is a case for each of the group's values.
        base: Another base than the group's.
        method: Of a request, or the one that is answered where the base leaves it open.
        after: Bases sent before with the same values, such as the INVITE that an ACK follows.
        start: Another start line.
        set: Header lines instead of those with the same name; at the end if there are none.
        add: More header lines, at the end, whatever they look like.
        without: Names of headers to leave out.
        sdp_set: Lines of the body instead of those of the same type; at the end if there are none.
        sdp_add: More lines at the end of the body.
        sdp_without: Beginnings of lines of the body to leave out.
        body: Another body, line by line.
        ends: Other line ends than CRLF.
        cut: How many octets are left of the message.
        before: Octets sent before the message, in the same datagram or stream.
        behind: Octets sent after it.
        octets: The whole, instead of a message.
    """

    name: Name
    base: str = ""
    method: str = ""
    after: tuple[str, ...] | None = None
    start: str = ""
    set: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    sdp_set: tuple[str, ...] = ()
    sdp_add: tuple[str, ...] = ()
    sdp_without: tuple[str, ...] = ()
    body: tuple[str, ...] | None = None
    ends: str = ""
    cut: int | None = None
    before: str = ""
    behind: str = ""
    octets: str | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of hostile message; the module's text describes the keys.

    Attributes:
        over: The transport that matters, if only one does.
        method: For all cases that name none.
        after: For all cases that name none.
    """

    name: Name
    section: Section
    wrong: str
    right: str
    base: str = ""
    method: str = ""
    after: tuple[str, ...] = ()
    over: Transport | None = None
    examples: tuple[Name, ...] = ()
    values: dict[Name, str] = {}
    case: Annotated[tuple[Change, ...], msgspec.Meta(min_length=1)]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    group: tuple[Group, ...]


class Hostile(msgspec.Struct, frozen=True, kw_only=True):
    """One hostile message.

    Attributes:
        name: Unique among all of them.
        group: Its kind, with what was wrong and what is right.
        value: The name of the group's value in it; empty if it has none.
        answers: The method that it answers; empty for a request and for mere octets.
        method: Of a request; empty for an answer and for mere octets.
        inside: Whether it belongs to a call that is in progress.
        template: Its octets, with placeholders.
        earlier: Templates of the messages to send before it.
    """

    name: str
    group: Group
    value: str
    answers: str
    method: str
    inside: bool
    template: bytes
    earlier: tuple[bytes, ...]
    change: Change

    @property
    def section(self) -> str:
        """The part of the issue that it belongs to."""
        return self.group.section

    @property
    def is_example(self) -> bool:
        """Whether an earlier build was seen to fail at it, not only at one of its kind."""
        return self.name in self.group.examples

    @property
    def placeholders(self) -> frozenset[str]:
        """What has to be filled in, in this message and the earlier ones."""
        found = _PLACEHOLDER.findall(b"".join([self.template, *self.earlier]))
        return frozenset(name.decode() for name in found) - {"length"}

    def filled(self, values: Mapping[str, str | bytes]) -> bytes:
        """The octets to send.

        Args:
            values: For all `placeholders`, and more if you like; `tests.hostile.hostile_values` makes them.

        Raises:
            KeyError: A placeholder has no value.
        """
        message = _filled(self.template, values)
        if self.change.ends:
            message = message.replace(b"\r\n", _octets(self.change.ends))
        return _octets(self.change.before) + message[: self.change.cut] + _octets(self.change.behind)

    def filled_earlier(self, values: Mapping[str, str | bytes]) -> tuple[bytes, ...]:
        """What to send before. Errors as in `filled`."""
        return tuple(_filled(template, values) for template in self.earlier)

    def __str__(self) -> str:
        return self.name


def load(folder: Path = FOLDER) -> Mapping[str, Hostile]:
    """All of them by name, file by file.

    Raises:
        ShippedDataError: A file has a wrong key or value, a base or an example does not exist, a name stands
            twice, or a placeholder is not one of `PLACEHOLDERS`.
    """
    bases = parse("bases.toml", (folder / "bases.toml").read_bytes(), dict[str, Base])
    found: dict[str, Hostile] = {}
    for file in sorted(folder.glob("*.toml")):
        if file.name == "bases.toml":
            continue
        for group in parse(file.name, file.read_bytes(), _File).group:
            before = len(found)
            for hostile in _expanded(file.name, group, bases):
                if hostile.name in found:
                    raise ShippedDataError(f"{file.name}: {hostile.name} stands twice")
                if unknown := hostile.placeholders - PLACEHOLDERS.keys():
                    raise ShippedDataError(f"{file.name}: {hostile.name} has {{{min(unknown)}}}")
                found[hostile.name] = hostile
            if missing := set(group.examples) - set(list(found)[before:]):
                raise ShippedDataError(f"{file.name}: {group.name} has no case {min(missing)}")
    return found


def chosen(*sections: str, examples: bool = False) -> list[Hostile]:
    """The messages of some parts of the issue.

    Args:
        sections: `A` to `L`, `M2` and so on.
        examples: Only those that an earlier build was seen to fail at.

    Raises:
        ValueError: A section has none.
    """
    if missing := set(sections) - {hostile.section for hostile in MESSAGES.values()}:
        raise ValueError(f"no messages for {min(missing)}")
    return [
        hostile
        for hostile in MESSAGES.values()
        if hostile.section in sections and (hostile.is_example or not examples)
    ]


def _expanded(file: str, group: Group, bases: Mapping[str, Base]) -> Iterator[Hostile]:
    for case in group.case:
        raw = msgspec.json.encode(case).decode()
        if _VALUE not in raw:
            yield _hostile(file, group, case, "", bases)
            continue
        for name, value in group.values.items():
            inner = msgspec.json.encode(value).decode()[1:-1]
            change = msgspec.json.decode(raw.replace(_VALUE, inner), type=Change)
            named = msgspec.structs.replace(change, name=f"{case.name}-{name}")
            yield _hostile(file, group, named, name, bases)


def _hostile(file: str, group: Group, case: Change, value: str, bases: Mapping[str, Base]) -> Hostile:
    after = group.after if case.after is None else case.after
    names = [case.base or group.base, *after]
    if case.octets is None and (missing := [name for name in names if name not in bases]):
        raise ShippedDataError(f"{file}: {case.name}: no base {missing[0]!r}")
    method = case.method or group.method
    if case.octets is not None:
        base, template = Base(text=""), _octets(case.octets)
    else:
        base = bases[names[0]]
        template = _template(base, case)
    if method and not base.answers:
        template = template.replace(b"{method}", method.encode())
    return Hostile(
        name=case.name,
        group=group,
        value=value,
        answers="" if base.request or case.octets is not None else base.answers or method,
        method=method or "INVITE" if base.request else "",
        inside=base.inside,
        template=template,
        earlier=tuple(_template(bases[name], Change(name="earlier")) for name in after),
        change=case,
    )


def _template(base: Base, change: Change) -> bytes:
    head, _, body = base.text.strip("\n").partition("\n\n")
    start, *lines = head.splitlines()
    length = [line for line in lines if _name(line) == "content-length"]
    lines = [
        line for line in lines if line not in length and _name(line) not in map(str.lower, change.without)
    ]
    if "content-length" in map(str.lower, change.without):
        length = []
    lines = _replaced([*lines, *length], change.set, _name)
    at = next((at for at, line in enumerate(lines) if _name(line) == "content-length"), len(lines))
    lines[at:at] = change.add
    content = list(change.body) if change.body is not None else body.splitlines()
    content = [line for line in content if not line.startswith(change.sdp_without or ("\0",))]
    content = [*_replaced(content, change.sdp_set, lambda line: line[:2]), *change.sdp_add]
    text = "".join(f"{line}\r\n" for line in [change.start or start, *lines, "", *content])
    return _octets(text)


def _replaced(lines: list[str], new: tuple[str, ...], key: Callable[[str], str]) -> list[str]:
    """The lines with those of the same key gone and the new ones where the first of them was."""
    keys = {key(line) for line in new}
    at = next((at for at, line in enumerate(lines) if key(line) in keys), len(lines))
    kept = [line for line in lines if key(line) not in keys]
    return [*kept[:at], *new, *kept[at:]]


def _name(line: str) -> str:
    return line.partition(":")[0].strip().lower()


def _octets(text: str) -> bytes:
    spread = _REPEAT.sub(lambda found: found[2] * int(found[1]), text)
    return _OCTET.sub(lambda found: bytes.fromhex(found[1].decode()), spread.encode())


def _filled(template: bytes, values: Mapping[str, str | bytes]) -> bytes:
    def value(found: re.Match[bytes]) -> bytes:
        name = found[1].decode()
        if name == "length":
            return found[0]
        given = values[name]
        return given if isinstance(given, bytes) else given.encode()

    message = _PLACEHOLDER.sub(value, template)
    body = message.partition(_END)[2]
    return message.replace(b"{length}", b"%d" % len(body), 1)


MESSAGES = load()
