"""A provider's words lead to the right finding, in many spellings and languages, and not to a wrong one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app import shipped
from app.checks import phrases, texts
from app.checks.phrases import ended_call, refused_call, refused_registration
from tests.helpers.outcomes import TRUNK

TELNYX = replace(TRUNK, host="sip.telnyx.com")
TWILIO = replace(TRUNK, provider="twilio", host="office.pstn.twilio.com")
WAVIX = replace(TRUNK, provider="wavix", host="fra.wavix.net")

MEANT = {
    "CAP": """
        Channel limit exceeded
        CHANNEL LIMIT EXCEEDED
        Channel Limit Reached
        User channel limit exceeded D1
        CallLimitExceeded
        CALL_LIMIT_REACHED
        Call limit
        Too many concurrent calls
        Concurrent call limit reached
        Simultaneous calls exceeded
        Max simultaneous calls reached
        Maximum Calls In Progress
        Maximum number of calls reached
        Max channels
        Max. sessions exceeded
        Too many calls
        Session limit
        All channels are busy
        All channels in use
        No free channels
        No channels available
        org_src_channels_exceeded
        Trunk capacity exceeded
        D1: Trunk at capacity
        Your account is at capacity
        Capacity Exceeded
        Line limit reached
        Exceeded maximum concurrent sessions
        Limit exceeded
        Limit of 2 calls reached
        Maximale Anzahl gleichzeitiger Gespräche erreicht
        Maximale Anzahl Kanäle überschritten
        Kanallimit erreicht
        Alle Kanäle belegt
        Kein freier Kanal
        Zu viele gleichzeitige Anrufe
        Nombre maximum d'appels atteint
        Limite de canaux atteinte
        Trop d'appels simultanés
        Límite de llamadas simultáneas excedido
        Demasiadas llamadas
        Canales ocupados
        Maximaal aantal gesprekken bereikt
        Alle lijnen bezet
        Limite di chiamate superato
        Troppe chiamate contemporanee
        Przekroczono limit jednoczesnych połączeń
        Limit kanałów przekroczony
        Brak wolnych kanałów
        Limite de chamadas excedido
    """,
    "CPS": """
        CPS limit exceeded
        CPS rate exceeded
        Calls per second exceeded
        Max calls per second reached
        Call rate limit exceeded
        Call rate too high
        Rate limit
        Rate Limit Exceeded
        Call attempt rate exceeded
        Throttled
        Too many requests
        Too many calls per second
        Too many call attempts per second
        Slow down
        Calls too fast
        Zu viele Anrufe pro Sekunde
        Trop d'appels par seconde
        Demasiadas llamadas por segundo
        Te veel oproepen per seconde
        Troppe chiamate al secondo
        Zbyt wiele połączeń na sekundę
    """,
    "CREDIT": """
        Insufficient balance
        Insufficient funds
        Insufficient account credit
        Not enough credit
        Not Enough Balance
        No credit
        no_funds
        No funds
        Funds Required
        Out of credit
        Credit exhausted
        Credit limit reached
        Balance exhausted
        Balance too low
        Low balance
        Zero balance
        Negative balance
        Payment required
        Payment overdue
        Unpaid invoice
        Top up your account
        Please recharge your account
        Account blocked (billing)
        Daily spend limit exceeded
        International daily spent limit reached D39
        Spending limit reached
        Monthly limit exceeded
        Credit card declined
        No credit card on file
        Prepaid balance depleted
        PrePaid Account Expended
        Guthaben nicht ausreichend
        Guthaben aufgebraucht
        Kein Guthaben
        Nicht genügend Guthaben
        Kreditlimit erreicht
        Crédit insuffisant
        Crédit épuisé
        Solde insuffisant
        Pas assez de crédit
        Saldo insuficiente
        Crédito agotado
        Sin saldo
        Onvoldoende beltegoed
        Beltegoed is op
        Geen saldo
        Credito insufficiente
        Credito esaurito
        Brak środków
        Brak środków na koncie
        Niewystarczające środki
        Saldo esgotado
    """,
    "CID": """
        Caller ID not allowed
        Invalid Caller-ID format D35
        Invalid CallerID
        Caller Origination Number is Invalid D35
        Caller ID not owned
        Caller ID not verified
        Calling number not allowed
        Calling party number invalid
        Calling Party Not Authorized
        Invalid CLI
        CLI not allowed
        CLI screening failed
        ANI not authorized
        Invalid ANI
        Unverified ANI
        Unauthorized caller
        Unverified caller ID number
        Originating number not valid
        Invalid From
        Missing P-Asserted-Identity
        P-Asserted-Identity required
        From header is missing a number
        Anonymous calls not allowed
        A-number invalid
        Number does not belong to your account
        Number not assigned to this account
        Spoofed caller
        Attestation failed
        Ungültige Absenderrufnummer
        Absendernummer nicht erlaubt
        Anrufernummer unbekannt
        CLIP nicht erlaubt
        Numéro appelant non autorisé
        Numéro présenté invalide
        Número llamante no permitido
        Número de origen no válido
        Ongeldig bellernummer
        Nummerweergave niet toegestaan
        Numero chiamante non autorizzato
        Nieprawidłowy numer dzwoniącego
    """,
    "ACCOUNT": """
        Account suspended
        Account is suspended
        Your account has been disabled
        Account closed
        Account expired
        Account blocked
        Account not active
        Account not found
        Account does not exist
        Inactive account
        Unknown account
        Unknown customer
        Customer disabled
        Trunk disabled
        Trunk inactive
        Trunk is not active
        SIP connection inactive
        User suspended
        Subscription expired
        Trial expired
        Trial period ended
        Suspended
        Service suspended
        Server not accepting calls (Paused)
        Konto gesperrt
        Anschluss deaktiviert
        Benutzer ist nicht freigeschaltet
        Compte suspendu
        Ligne désactivée
        Cuenta suspendida
        Account geblokkeerd
        Utenza sospesa
        Konto zablokowane
        Konto zawieszone
        Conta suspensa
    """,
    "TRIAL": """
        Trial account: unverified number
        The number is unverified. Trial accounts cannot call unverified numbers
        Unverified number, trial account
        Trial accounts may only make calls to verified numbers
        You can only call verified numbers
        Calls to unverified numbers are not allowed
        Trial account restriction
        Demo account limit reached
        Sandbox mode only
        Please upgrade your account
        Nur verifizierte Rufnummern erlaubt
        Testaccount: Ziel nicht erlaubt
        Compte d'essai
        Cuenta de prueba
        Account di prova
        Konto testowe
    """,
    "DEST": """
        Destination not allowed
        Destination Number 4420 is not allowed for service plan 12 D12
        Destination blocked
        Destination barred
        Destination forbidden
        Destination country not enabled
        Country not allowed
        Country blocked
        Prefix not allowed
        Called number not permitted
        Dialed number is restricted
        International calls barred
        International calling disabled
        International calling not enabled
        Not allowed to call international numbers
        No international permission
        Premium numbers not allowed
        Premium rate calls blocked
        Geo permission not enabled
        Geographic permissions
        Outgoing calls barred
        OUTGOING_CALL_BARRED
        Outbound calls not allowed
        You are not allowed to call this number
        Blocked by Dialplan
        No permission for this destination
        Toll restricted
        Class of service violation
        Fraud protection
        Suspected fraud blocked
        High risk destination
        Ziel gesperrt
        Zielrufnummer nicht erlaubt
        Auslandsgespräche gesperrt
        Destination non autorisée
        Destination interdite
        Appels internationaux bloqués
        Destino no permitido
        Llamadas internacionales bloqueadas
        Bestemming niet toegestaan
        Internationale oproepen geblokkeerd
        Destinazione non abilitata
        Chiamate internazionali bloccate
        Kierunek zablokowany
        Połączenia międzynarodowe zablokowane
        Destino bloqueado
    """,
    "PRICE": """
        MaxPeak Cost Exceeded
        Max peak cost exceeded
        Rate too high
        Price too high
        Cost limit exceeded
        Price limit exceeded
        Maximum price exceeded
        Rate per minute exceeds maximum
        Rate 0.9 per minute price above limit
        Too expensive
        Profit Assurance
        Rate cap exceeded
        Rate exceeds the maximum rate
        Preislimit überschritten
        Preis zu hoch
        Tarif trop élevé
        Prix maximum dépassé
        Precio máximo superado
        Tariffa massima superata
        Tarief te hoog
        Stawka zbyt wysoka
    """,
    "SRTP-NEEDED": """
        SRTP required
        SRTP is mandatory
        Encryption required
        Media encryption required
        Secure RTP required
        Requires SRTP
        TLS required
        Only encrypted calls
        Secure calls only
        Unencrypted media not allowed
        Insecure media rejected
        Media not encrypted
        RTP/SAVP expected
        No crypto in offer
        Missing crypto attribute
        No matching crypto suite
        Crypto suite not supported
        Verschlüsselung erforderlich
        Unverschlüsselte Anrufe nicht erlaubt
        Chiffrement obligatoire
        Cifrado obligatorio
        Versleuteling verplicht
        Crittografia obbligatoria
        Szyfrowanie wymagane
    """,
    "SRTP-REFUSED": """
        SRTP not allowed
        SRTP not supported
        SRTP disabled
        Encryption not supported
        Encryption not enabled for this trunk
        SAVP not supported
        Encrypted media not supported
        Secure calls not supported
        Unsupported crypto
        Verschlüsselung nicht unterstützt
        Chiffrement non supporté
        Cifrado no soportado
        Versleuteling niet ondersteund
        Cifratura non supportata
    """,
    "NUMBER-FORMAT": """
        Invalid number format
        INVALID_NUMBER_FORMAT
        Number format not valid
        Wrong number format
        Invalid destination number
        Destination Number 0049 is invalid
        Invalid destination
        Invalid called number
        Dialed number too short
        Number too long
        Too few digits
        Number not in E.164 format
        E.164 format required
        Must be E164
        Not in international format
        Missing country code
        Country code required
        cant_translate_incoming_dnis
        B-number invalid
        Ungültige Rufnummer
        Rufnummer ungültig
        Falsches Rufnummernformat
        Numéro invalide
        Número inválido
        Formato incorrecto
        Ongeldig nummer
        Numero non valido
        Nieprawidłowy numer
    """,
    "BLOCKED": """
        Too many failed attempts
        Too many login attempts
        Too many failed login attempts, try again later
        Too many registrations
        IP blocked
        IP address banned
        Your IP is temporarily blocked
        Temporarily banned
        Address blacklisted
        Brute force detected
        Locked out
        Zu viele Anmeldeversuche
        IP-Adresse gesperrt
        Trop de tentatives
        Adresse IP bloquée
        Demasiados intentos
        Te veel pogingen
        Troppi tentativi
        Zbyt wiele prób
    """,
    "SOURCE": """
        IP Not Authorised
        IP address not allowed
        IP not whitelisted
        Source IP not allowed
        Source address not recognized
        Unknown IP
        Unknown peer
        Unauthorized IP address
        Unauthorized source
        ACL rejected
        Rejected by ACL
        Not in whitelist
        No matching trunk found
        Trunk not found
        IP-Adresse nicht erlaubt
        Adresse IP non autorisée
        Dirección IP no autorizada
        IP niet toegestaan
    """,
    "REG-NEEDED": """
        Not registered
        User not registered
        Trunk not registered
        Unregistered user
        Please register first
        Registration required
        Registration expired
        Nicht registriert
        Non enregistré
        Niet geregistreerd
        Nie zarejestrowany
    """,
}

NOT_MEANT = """
    Forbidden
    Busy Here
    Temporarily Unavailable
    Service Unavailable
    Decline
    Declined
    Not Found
    User not found
    User busy
    Server Internal Error
    Not Acceptable Here
    Client not allowed
    Channel unavailable
    CHANNEL_UNACCEPTABLE
    Requested channel unavailable
    REQUESTED_CHAN_UNAVAIL
    No channel to this number
    Line out of order
    All circuits are busy now
    Congestion
    Circuit/channel congestion
    NORMAL_CIRCUIT_CONGESTION
    NORMAL_TEMPORARY_FAILURE
    Switching equipment congestion
    Network out of order
    DESTINATION_OUT_OF_ORDER
    Destination out of service
    Destination unreachable
    Ziel nicht erreichbar
    Destination non joignable
    No answer from user (user alerted)
    No answer from the user
    Recovery on timer expiry
    Unallocated number
    UNALLOCATED_NUMBER
    Unverified number
    Load balancer error
    Gateway at capacity
    Sample rate exceeds what the other side can do
    Load balance failure
    Credit card hotline unavailable
    Balanced routing failed
    Max-Forwards exceeded
    Too many hops
    Message size limit exceeded
    Redirect limit exceeded
    Call limited to voice
    Number of channels changed
    Invalid port number
    Invalid number of parameters
    Wrong call state
    Caller hung up
    Caller has left
    Call rejected
    CALL_REJECTED
    Rejected by callee
    Blocked by user
    The user has blocked your number
    Do not disturb
    Incoming calls rejected by user
    Calling...
    Session terminated
    Request Terminated
    Trying another route
    No route to destination
    NO_ROUTE_DESTINATION
    No Routes Available
    Gateway timeout
    Media server unavailable
    Interworking, unspecified
    Normal call clearing
    Service or option not available
    Bearer capability not available
    SRTP optional
    Encryption not required
    Number ported
    Rufnummer nicht vergeben
    Teilnehmer nicht erreichbar
    Aucune réponse
    Abonado ausente
    Abonnee niet bereikbaar
    Utente non raggiungibile
    Abonent niedostępny
    503
    OK
"""

NEGATIVES = [line.strip() for line in NOT_MEANT.strip().splitlines()]
CODES = (400, 403, 404, 406, 480, 484, 486, 488, 500, 503, 580, 600, 603, 606)


def led_to(text: str) -> set[str]:
    """All findings that a phrase leads to, whatever code it comes with."""
    return {found for code in CODES if (found := refused_call(text, code, TRUNK))}


@pytest.mark.parametrize("finding", MEANT)
def test_each_spelling_leads_to_its_finding_and_no_other(finding: str) -> None:
    spellings = [line.strip() for line in MEANT[finding].strip().splitlines()]
    assert len(spellings) >= 10
    assert {text: found for text in spellings if (found := led_to(text)) != {finding}} == {}


def test_words_that_mean_something_else_lead_nowhere() -> None:
    assert {text: found for text in NEGATIVES if (found := led_to(text))} == {}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Trial account: unverified number", "CID"),
        ("Destination not allowed", "CID"),
        ("Caller ID not allowed", "DEST"),
        ("Invalid caller number format", "NUMBER-FORMAT"),
        ("Credit limit exceeded", "CAP"),
        ("Call duration limit exceeded", "CAP"),
        ("Too many calls per second", "CAP"),
        ("Rate limit exceeded", "CAP"),
        ("Price limit exceeded", "CAP"),
        ("Rate per minute exceeds maximum", "CPS"),
        ("Account blocked (billing)", "ACCOUNT"),
        ("Account blocked", "BLOCKED"),
        ("IP blocked", "ACCOUNT"),
        ("SRTP not supported", "SRTP-NEEDED"),
        ("SRTP required", "SRTP-REFUSED"),
        ("Source IP not allowed", "CID"),
    ],
)
def test_neighbours_are_kept_apart(text: str, finding: str) -> None:
    assert finding not in led_to(text)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Account suspended", "ACCOUNT"),
        ("Too many failed attempts", "BLOCKED"),
        ("Too many requests", "BLOCKED"),
        ("IP not whitelisted", "SOURCE"),
        ("Insufficient balance", "CREDIT"),
        ("Konto gesperrt", "ACCOUNT"),
        ("Forbidden", ""),
        ("Wrong password", ""),
        ("Channel limit exceeded", ""),
        ("Caller ID not allowed", ""),
        ("Domain not found", ""),
    ],
)
def test_a_refused_registration_has_classes_of_its_own(text: str, finding: str) -> None:
    assert refused_registration(text, 403, TRUNK) == finding


@pytest.mark.parametrize("code", [401, 404, 407, 408, 484, 487])
def test_a_code_that_is_clear_by_itself_is_not_explained_again(code: int) -> None:
    assert refused_call("Channel limit exceeded", code, TRUNK) == ""
    assert refused_registration("Account suspended", code, TRUNK) == ""


@pytest.mark.parametrize(
    ("text", "code", "finding"),
    [
        ("Forbidden D1", 403, "CAP"),
        ("D22", 403, "CAP"),
        ("D24", 403, "PRICE"),
        ("D12", 403, "DEST"),
        ("D35", 403, "CID"),
        ("D36", 403, "CID"),
        ("Not Found D18", 404, "ACCOUNT"),
        ("Not Found D19", 404, "CREDIT"),
        ("D11", 403, "NUMBER-FORMAT"),
        ("D38", 403, ""),
        ("D351", 403, ""),
    ],
)
def test_codes_of_a_provider_count_at_that_provider(text: str, code: int, finding: str) -> None:
    assert refused_call(text, code, TELNYX) == finding
    assert refused_call(text, code, replace(TRUNK, provider="telnyx")) == finding
    assert refused_call(text, code, TRUNK) == ""


def test_the_same_words_can_mean_another_thing_at_another_provider() -> None:
    assert refused_call("Max call rate exceeded", 603, WAVIX) == "PRICE"
    assert refused_call("Max call rate exceeded", 603, TRUNK) == "CPS"
    assert refused_call("32001 CPS", 503, TWILIO) == "CPS"
    assert refused_call("Error 32205", 403, TWILIO) == "DEST"
    assert refused_call("Error 32205", 403, TRUNK) == ""


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("RTP Timeout", "RTP-TMO"),
        ("MEDIA_TIMEOUT", "RTP-TMO"),
        ("Media inactivity", "RTP-TMO"),
        ("No RTP received", "RTP-TMO"),
        ("Lack of audio", "RTP-TMO"),
        ("Session timer expired", "SE-HALF"),
        ("Session Timer", "SE-HALF"),
        ("No session refresh received.", "SE-HALF"),
        ("Session expired", "SE-HALF"),
        ("Session-Expires", "SE-HALF"),
        ("re-INVITE timeout", "SE-HALF"),
        ("ACK Timeout", "ACK-LOST-OUT"),
        ("ACK not received", "ACK-LOST-OUT"),
        ("No ACK", "ACK-LOST-OUT"),
        ("Credit exhausted", "BYE-CREDIT"),
        ("Insufficient funds", "BYE-CREDIT"),
        ("Saldo agotado", "BYE-CREDIT"),
        ("Max call duration exceeded", "MAXDUR"),
        ("ALLOTTED_TIMEOUT", "MAXDUR"),
        ("Call time limit reached", "MAXDUR"),
        ("Normal call clearing", ""),
        ("NORMAL_CLEARING", ""),
        ("User hung up", ""),
        ("Recovery on timer expiry", ""),
        ("Temporary failure", ""),
        ("Call completed elsewhere", ""),
        ("Account suspended", ""),
        ("", ""),
    ],
)
def test_the_reason_of_an_end_is_understood(text: str, finding: str) -> None:
    assert ended_call(text, TRUNK) == finding


def test_capitals_accents_and_signs_do_not_matter() -> None:
    assert phrases.spoken("CallLimit_EXCEEDED—now!") == " call limit exceeded now "
    assert phrases.spoken("Połączeń, größer, déjà") == " polaczen grosser deja "
    assert phrases.spoken("") == "  "


def test_every_phrase_leads_to_a_finding_and_no_class_is_without_a_test() -> None:
    assert phrases.leads_to() <= set(texts.ids())
    in_calls = {rule.phrase.finding for rule in phrases._rules()} - {""}
    assert in_calls == set(MEANT)


def test_a_spelling_with_signs_that_mean_nothing_is_an_error() -> None:
    for bad in ("channel (limit)", "a+b", "", "Channel limit"):
        with pytest.raises(shipped.ShippedDataError, match=r"phrases\.toml"):
            phrases._one(bad)


def test_a_long_hostile_phrase_costs_little() -> None:
    hostile = "call " * 60 + "no not max "
    for _ in range(20):
        refused_call(hostile * 3, 403, TRUNK)
