"""Every type of pydantic and of the standard library's modules of types: stored, or refused."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import pathlib
import re
import uuid
from decimal import Decimal
from types import ModuleType
from typing import Annotated, Any

import pydantic
import pytest
from pydantic import networks, types

import loom_async as lm
from loom_async._core.bson_codec import decode_bson
from loom_async._core.model.write_plan import plan_persist
from loom_async._core.types.values import bson_type_of
from tests.core.storing import NOW, stored_and_loaded

WHEN = dt.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=dt.UTC)
LATER = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
ADDRESS = ipaddress.ip_address("10.0.0.1")
TEXT, NUMBER, DATE, BINARY, ARRAY, DOCUMENT = "string", "int", "date", "binData", "array", "object"


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Size(enum.StrEnum):
    SMALL = "s"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Bits(enum.IntFlag):
    ONE = 1
    TWO = 2


class Pair(collections.namedtuple("Pair", "a b")):
    pass


def of_dsn(name: str) -> tuple[str, Any]:
    kind = getattr(networks, name)
    texts = {
        "FileUrl": "file:///a/b", "FtpUrl": "ftp://a.b/c", "WebsocketUrl": "ws://a.b/c",
        "AnyWebsocketUrl": "wss://a.b/c", "PostgresDsn": "postgres://u:p@a/b",
        "CockroachDsn": "cockroachdb://u:p@a/b", "AmqpDsn": "amqp://a/b", "RedisDsn": "redis://a/1",
        "MongoDsn": "mongodb://a:1,b:2/c", "KafkaDsn": "kafka://a:9092", "NatsDsn": "nats://a:4222",
        "MySQLDsn": "mysql://a:1/b", "MariaDBDsn": "mariadb://a:1/b",
        "ClickHouseDsn": "clickhouse://a:1/b", "SnowflakeDsn": "snowflake://u:p@a/b",
    }  # fmt: skip
    return TEXT, (kind, kind(texts.get(name, "https://a.b/c")))


#: By name: the BSON type of the stored value, the annotation (None: the type itself), a value.
STORED: dict[str, tuple[str, Any]] = {
    # pydantic.types
    "StrictStr": (TEXT, "a"), "StrictInt": (NUMBER, 1), "StrictFloat": ("double", 1.5),
    "StrictBool": ("bool", True), "StrictBytes": (BINARY, b"a"),
    "conbytes": (BINARY, (types.conbytes(min_length=1), b"a")),
    "conlist": (ARRAY, (types.conlist(dt.timedelta, min_length=1), [dt.timedelta(1)])),
    "conset": (ARRAY, (types.conset(int, min_length=1), {1})),
    "confrozenset": (ARRAY, (types.confrozenset(int, min_length=1), frozenset({1}))),
    "constr": (TEXT, (types.constr(min_length=1), "a")),
    "conint": (NUMBER, (types.conint(ge=1), 1)),
    "confloat": ("double", (types.confloat(ge=1), 1.5)),
    "condecimal": ("decimal", (types.condecimal(ge=1), Decimal("1.50"))),
    "condate": (DATE, (types.condate(ge=dt.date(2000, 1, 1)), dt.date(2020, 1, 1))),
    "ImportString": (TEXT, dt.date),
    "PositiveInt": (NUMBER, 1), "NegativeInt": (NUMBER, -1), "NonNegativeInt": (NUMBER, 0),
    "NonPositiveInt": (NUMBER, 0), "PositiveFloat": ("double", 1.0),
    "NegativeFloat": ("double", -1.0), "NonNegativeFloat": ("double", 0.0),
    "NonPositiveFloat": ("double", -0.5), "FiniteFloat": ("double", 2.5),
    "UUID1": (BINARY, uuid.uuid1()), "UUID3": (BINARY, uuid.uuid3(uuid.NAMESPACE_DNS, "a")),
    "UUID4": (BINARY, uuid.uuid4()), "UUID5": (BINARY, uuid.uuid5(uuid.NAMESPACE_DNS, "a")),
    "UUID6": (BINARY, uuid.UUID("1ec9414c-232a-6b00-b3c8-9e6bdeced846")),
    "UUID7": (BINARY, uuid.UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")),
    "UUID8": (BINARY, uuid.UUID("320c3d4d-cc00-875b-8ec9-32d5f69181c0")),
    "FilePath": (TEXT, pathlib.Path(__file__)),
    "DirectoryPath": (TEXT, pathlib.Path(__file__).parent),
    "NewPath": (TEXT, pathlib.Path(__file__).parent / "no such file"),
    "Json": (TEXT, (types.Json[list[dt.date]], '["2024-01-02"]')),
    "Secret": (DATE, (types.Secret[dt.date], dt.date(2024, 1, 2))),
    "SecretStr": (TEXT, "a"), "SecretBytes": (BINARY, b"a"),
    "PaymentCardNumber": (TEXT, "4242424242424242"), "ByteSize": (NUMBER, 1024),
    "PastDate": (DATE, dt.date(2020, 1, 1)), "FutureDate": (DATE, LATER.date()),
    "PastDatetime": (DATE, WHEN), "FutureDatetime": (DATE, LATER), "AwareDatetime": (DATE, WHEN),
    "NaiveDatetime": (DATE, WHEN.replace(tzinfo=None)),
    "EncodedBytes": (BINARY, (types.Base64UrlBytes, b"YT9j")),
    "EncodedStr": (TEXT, (types.Base64UrlStr, "YT9j")),
    "Base64Bytes": (BINARY, b"YWJj"), "Base64Str": (TEXT, "YWJj"),
    "Base64UrlBytes": (BINARY, b"YT9j"), "Base64UrlStr": (TEXT, "YT9j"),
    "JsonValue": (DOCUMENT, {"a": [1, 2.5, None, "x", True]}),
    "OnErrorOmit": (ARRAY, (list[types.OnErrorOmit[dt.time]], [dt.time(1)])),
    "Strict": (DATE, (Annotated[dt.date, types.Strict()], dt.date(2024, 1, 2))),
    "AllowInfNan": ("double", (Annotated[float, types.AllowInfNan(False)], 1.5)),
    "StringConstraints": (TEXT, (Annotated[str, types.StringConstraints(to_upper=True)], "a")),
    # pydantic.networks
    **{
        name: of_dsn(name)
        for name in networks.__all__
        if name.endswith(("Url", "Dsn"))
    },
    "EmailStr": (TEXT, "a@b.cz"), "NameEmail": (TEXT, "Ann B <a@b.cz>"),
    "IPvAnyAddress": (TEXT, ADDRESS), "IPvAnyInterface": (TEXT, "10.0.0.1/8"),
    "IPvAnyNetwork": (TEXT, "10.0.0.0/8"),
    # datetime, decimal, fractions, uuid
    "date": (DATE, dt.date(2024, 1, 2)), "datetime": (DATE, WHEN),
    "time": (TEXT, dt.time(1, 2, 3, 4)), "timedelta": (NUMBER, dt.timedelta(microseconds=-5)),
    "Decimal": ("decimal", Decimal("-0.10")), "Fraction": (TEXT, fractions.Fraction(1, 3)),
    "DecimalTuple": (ARRAY, Decimal("1.5").as_tuple()), "UUID": (BINARY, uuid.UUID(int=1)),
    # ipaddress, pathlib
    "IPv4Address": (TEXT, "1.2.3.4"), "IPv4Interface": (TEXT, "1.2.3.4/8"),
    "IPv4Network": (TEXT, "1.0.0.0/8"), "IPv6Address": (TEXT, "::1"),
    "IPv6Interface": (TEXT, "::1/8"), "IPv6Network": (TEXT, "::/8"),
    **{
        name: (TEXT, (getattr(pathlib, name), getattr(pathlib, name)("a/b")))
        for name in ("PurePath", "PurePosixPath", "Path", "PosixPath")
    },
    # collections, enum, re
    "Counter": (DOCUMENT, (collections.Counter[dt.date], {dt.date(2024, 1, 2): 3})),
    "OrderedDict": (
        DOCUMENT, (collections.OrderedDict[str, dt.timedelta], {"b": dt.timedelta(1)})
    ),
    "defaultdict": (DOCUMENT, (collections.defaultdict[int, list[dt.time]], {1: [dt.time(2)]})),
    "deque": (ARRAY, (collections.deque[dt.timedelta], [dt.timedelta(1)])),
    "namedtuple": (ARRAY, (Pair, (1, "b"))),
    "Enum": (TEXT, (Color, Color.RED)), "IntEnum": (NUMBER, (Level, Level.LOW)),
    "StrEnum": (TEXT, (Size, Size.SMALL)),
    "Flag": (NUMBER, (Rights, Rights.READ | Rights.WRITE)), "IntFlag": (NUMBER, (Bits, Bits(3))),
    "RegexFlag": (NUMBER, re.IGNORECASE), "Pattern": ("regex", re.compile("^a", re.MULTILINE)),
    "SafeUUID": (NUMBER, uuid.SafeUUID.safe), "FlagBoundary": (TEXT, enum.FlagBoundary.STRICT),
    "EnumCheck": (TEXT, enum.EnumCheck.UNIQUE),
}  # fmt: skip
#: Types that pydantic does not know, or that it cannot write to JSON: the model or its first use
#: raises an error.
REFUSED = {
    "timezone", "tzinfo", "ChainMap", "UserDict", "UserList", "UserString", "Context", "Match",
}  # fmt: skip
#: Names of the modules that are not types of values: functions, constants, markers, errors.
OTHER_NAMES = {
    "Base64Encoder",
    "FailFast", "EncoderProtocol", "GetPydanticSchema", "Tag", "Discriminator",
    "UrlConstraints", "SocketPath", "EnumType", "EnumMeta", "ReprEnum", "auto", "property",
    "verify", "member", "nonmember", "PureWindowsPath", "WindowsPath", "ConversionSyntax",
    "DivisionImpossible", "DivisionUndefined", "InvalidContext",
}  # fmt: skip
MODULES = (
    types, networks, dt, decimal, ipaddress, pathlib, collections, enum, uuid, re, fractions,
)  # fmt: skip


def type_names(module: ModuleType) -> set[str]:
    names = getattr(module, "__all__", None) or vars(module)
    own = {name for name in names if not name.startswith("_")}
    return {
        name
        for name in own
        if getattr(getattr(module, name), "__module__", None) in (module.__name__, "typing", None)
        or name in STORED
        if isinstance(getattr(module, name), type) or name in STORED
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_each_type_of_a_module_has_its_form_here(module: ModuleType) -> None:
    errors = {
        name
        for name in type_names(module)
        if isinstance(kind := getattr(module, name), type) and issubclass(kind, BaseException)
    }
    unknown = type_names(module) - STORED.keys() - REFUSED - OTHER_NAMES - errors
    assert not unknown


def annotation_and_value(name: str) -> tuple[Any, Any]:
    given = STORED[name][1]
    if isinstance(given, tuple) and type(given) is tuple:
        return given
    return next(getattr(module, name) for module in MODULES if hasattr(module, name)), given


@pytest.mark.parametrize("wrap", ["plain", "list", "dict", "optional", "nested"])
@pytest.mark.parametrize("name", STORED)
@pytest.mark.filterwarnings("ignore:The `PaymentCardNumber` class is deprecated")
def test_a_value_is_stored_in_its_form_and_comes_back(name: str, wrap: str) -> None:
    annotation, value = annotation_and_value(name)

    class Inner(pydantic.BaseModel):
        inside: annotation

    wrapped: Any = {
        "plain": (annotation, value),
        "list": (list[annotation], [value, value]),
        "dict": (dict[str, annotation], {"a.b": value}),
        "optional": (annotation | None if wrap == "optional" else None, value),
        "nested": (Inner, {"inside": value}),
    }[wrap]

    class Holder(lm.PersistableBase):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=name == "RegexFlag")

        value: wrapped[0]

    holder = Holder(value=wrapped[1])
    stored = decode_bson(plan_persist(holder, NOW).raw)["value"]  # type: ignore[union-attr]
    inner = {"list": lambda: stored[0], "dict": lambda: stored["a.b"]}
    inner["nested"] = lambda: stored["inside"]
    assert bson_type_of(inner.get(wrap, lambda: stored)()) in (STORED[name][0], "long")
    loaded = stored_and_loaded(holder)
    assert loaded == holder
    assert type(loaded.value) is type(holder.value)
    assert plan_persist(loaded, NOW) is None


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_other_types_are_refused(name: str) -> None:
    kind = next(getattr(module, name) for module in MODULES if hasattr(module, name))

    class Holder(lm.PersistableBase):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

        value: kind | None = None

    with pytest.raises(lm.ConfigurationError, match=r"(?s)Holder\.value .*StoredAs"):
        plan_persist(Holder(), NOW)
