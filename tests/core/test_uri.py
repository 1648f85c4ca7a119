"""Any password of any URI, however malformed, stays out of every text."""

from __future__ import annotations

import re
import traceback
import warnings
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pymongo.uri_parser import parse_uri

import loom_async as lm
from loom_async._core.uri import problem, redacted, shown, with_secret

# All characters, surrogates too, and often those that mean something in a URI.
ANY = st.text(st.characters() | st.sampled_from(":/@?#%[]&=;,'\"` \n\t\\"), max_size=12)
PASSWORDS = ANY.map(lambda text: f"{text}7kQz{text}")
# Malformed in every part, with the password as it is or percent-encoded.
TEMPLATES = [
    "mongodb://{user}:{password}@host:notaport/",
    "mongodb://{user}:{password}@host:99999/?w=1",
    "mongodb://{user}:{password}@h[ost/",
    "mongodb://{user}:{password}@,/db",
    "mongodb://{user}:{password}@host/d b$?tls=maybe",
    "mongodb://{user}:{password}@host?nothing",
    "mongodb+srv://{user}:{password}@host:1,b/",
    "mongodb+srv://{user}:{password}@/x",
    "http://{user}:{password}@host/",
    "MongoDB://{user}:{password}@host/",
    "mongodb:/{user}:{password}@host/",
    "mongodb:{user}:{password}@host/",
    "{user}:{password}@host",
    " mongodb://{user}:{password}@host",
    "mongodb://{user}:{password}@",
    "mongodb://{user}:{password}",
    "mongodb://{user}:{password}/db?w=1",
    "{user}:{password}",
]
HOSTLESS = [template for template in TEMPLATES if "@" not in template]
ENCODERS = [str, lambda text: quote_plus(text, errors="surrogatepass")]


def holds(text: str, password: str) -> bool:
    """Say whether a text contains a password, encoded or not."""
    forms = {password, unquote(password), repr(password)[1:-1], password.lower()}
    forms |= {quote(password, safe="", errors="surrogatepass")}
    return any(form in text or form in unquote(text) for form in forms if len(form) >= 4)


def refusal(uri: str) -> Exception | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parse_uri(re.sub(r"^mongodb\+srv:", "mongodb:", uri))
        except Exception as error:
            return error
    return None


@given(user=ANY, password=PASSWORDS, template=st.sampled_from(TEMPLATES), way=st.integers(0, 1))
@example("user", "hun'ter 2 7kQz", TEMPLATES[0], 0)
@example("user", '"7kQz"@\n7kQz', TEMPLATES[0], 0)
@example("user", "pa/ss@w?o#rd7kQz", TEMPLATES[1], 0)
@example("ann@corp.org", "7kQz", HOSTLESS[0], 0)
@example("0/", "7kQz", HOSTLESS[0], 0)
@example("user", "://7kQz", TEMPLATES[12], 0)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_no_password_is_shown(user: str, password: str, template: str, way: int) -> None:
    encoded = ENCODERS[way](password)
    assume(not holds(user, password))
    # Such a text may as well be a host, its port and a database.
    assume(not (template in HOSTLESS and re.match(r"\d{1,5}([,/?]|\Z)", encoded)))
    uri = template.format(user=ENCODERS[way](user), password=encoded)
    text = shown(uri) + problem(uri, refusal(uri) or ValueError(uri))
    assert not holds(text, password)
    assert "7kQz" not in text


@given(user=ANY, password=PASSWORDS, before=ANY, after=ANY.filter(lambda text: "@" not in text))
def test_no_password_of_a_uri_inside_a_text(
    user: str, password: str, before: str, after: str
) -> None:
    text = f"{before} mongodb://{user}:{password}@{after}"
    assume(not holds(before + after, password))
    assert not holds(redacted(text), password)
    assert redacted(text).endswith(f"mongodb://***@{after}")


def with_secret_or_refusal(uri: str, secret: str) -> str | Exception:
    try:
        return with_secret(uri, secret)
    except lm.ConfigurationError as error:
        return error


@given(secret=PASSWORDS)
def test_a_secret_is_inserted_or_not_shown(secret: str) -> None:
    found = with_secret_or_refusal("mongodb://user:old@host/db", secret)
    if isinstance(found, str):
        assert parse_uri(found)["password"] == secret
    else:
        assert not holds("".join(traceback.format_exception(found)) + repr(found), secret)
        assert found.__context__ is None


@given(uri=ANY.map("mongodb://".__add__) | ANY, secret=PASSWORDS)
def test_a_secret_beside_a_malformed_uri(uri: str, secret: str) -> None:
    assume(not holds(uri, secret))
    found = with_secret_or_refusal(uri, secret)
    if isinstance(found, str):
        text = shown(found) + problem(found, refusal(found) or ValueError(found))
    else:
        text = "".join(traceback.format_exception(found)) + repr(found)
    assert not holds(text, secret)


@pytest.mark.parametrize(
    ("uri", "text", "reason"),
    [
        ("mongodb://u:p@host:x/", "mongodb://***@host…", "hosts are malformed"),
        ("mongodb://u:p@host:0,b:7/", "mongodb://***@host:…,b:…/", "from 1 to 65535"),
        ("mongodb://u:p@@host/", "mongodb://***@host/", "must be percent-encoded"),
        ("mongodb://u%r:p@host/", "mongodb://***@host/", "must be percent-encoded"),
        ("mongodb://u:p@host/?a", "mongodb://***@host/?a", "key=value"),
        ("mongodb://u:p@host,/", "mongodb://***@host,/", "hosts are malformed"),
        ("http://u:p@host/", "http://***@host/", "does not begin with mongodb://"),
        ("mongodb://host:12/$", "mongodb://host:…/$", "(?i)database name"),
        ("mongodb://[::1]:12/?a", "mongodb://[::1]:…/?a", "key=value"),
        ("mongodb://host:x/", "mongodb://host…", "have no @"),
        ("mongodb://a,b/?a", "mongodb://a,b/?a", "key=value"),
        (
            "mongodb://u:p@h/?tlsCertificateKeyFilePassword=x&a",
            "mongodb://***@h/?tlsCertificateKeyFilePassword=***&a",
            "key=value",
        ),
        ("mongodb://u:p@host/", "mongodb://***@host/", "option beside it .InvalidURI"),
    ],
)
def test_the_other_parts_are_shown(uri: str, text: str, reason: str) -> None:
    assert shown(uri) == text
    error = refusal(uri) or refusal("")
    assert error is not None
    assert re.search(reason, problem(uri, error))


def test_a_secret_is_percent_encoded() -> None:
    assert (
        with_secret("mongodb://u@h:1/db?x=y", "p@s/s:w") == "mongodb://u:p%40s%2Fs%3Aw@h:1/db?x=y"
    )
    assert with_secret("mongodb+srv://u:old@h/", "new") == "mongodb+srv://u:new@h/"
    with pytest.raises(lm.ConfigurationError, match="no user"):
        with_secret("mongodb://h/", "x")
