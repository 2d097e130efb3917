"""The hyperparameters of a registry's entry: their ranges, what may differ within a stack, their sentences.

An entry declares them as annotated fields of a data class, and explains them in its docstring:

>>> @dataclass(frozen=True, kw_only=True)
... class Adam(Optimizer):
...     '''Adam (Kingma & Ba 2015).
...
...     Parameters
...     ----------
...     beta1
...         Decay rate of the running mean of the gradients.
...     '''
...
...     beta1: Annotated[Fraction, PER_REPLICA] = 0.9
"""

import dataclasses
import inspect
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

_WEIGHTS_WANTED = "should be null, balanced, or classes with a weight each, such as '{rare: 3, often: 0.5}'"
_INTEGERS = 2**63  # NumPy's integers end here


@dataclass(frozen=True)
class Range:
    """The numbers that a hyperparameter may be: finite, and within these bounds; None is no bound.

    A whole number is accepted as a float; true and texts are no numbers.
    """

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def __str__(self) -> str:
        """Return the range in words, such as ``more than 0`` or ``from 0 to less than 1``."""
        above = below = ""
        if self.ge is not None:
            above = (
                f"from {self.ge:g}" if self.le is not None or self.lt is not None else f"at least {self.ge:g}"
            )
        elif self.gt is not None:
            above = f"more than {self.gt:g}"
        if self.lt is not None:
            below = f"less than {self.lt:g}"
        elif self.le is not None:
            below = f"{self.le:g}" if self.ge is not None else f"at most {self.le:g}"
        between = " to " if above.startswith("from") else " and "
        return between.join(part for part in (above, below) if part) or "any number"

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a number; pydantic asks for it."""
        bounds = {key: value for key, value in dataclasses.asdict(self).items() if value is not None}
        schema = {**handler(source), **bounds, "strict": True}
        if schema["type"] == "float":
            schema["allow_inf_nan"] = False
        elif "le" not in bounds:
            schema.setdefault("lt", _INTEGERS)
        return schema


@dataclass(frozen=True)
class Readable:
    """Mark a text without control characters and lone surrogates, of ``least`` to ``most`` characters."""

    least: int = 1
    most: int = 4000

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a text; pydantic asks for it."""
        text = {**handler(source), "min_length": self.least, "max_length": self.most}
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": _readable},
            "schema": text,
        }


def _readable(value: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise ValueError("should hold neither control characters nor lone surrogates")
    return value


@dataclass(frozen=True)
class Name(Readable):
    """Mark a readable text that may be typed without quotes where it looks like a whole number."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a text; pydantic asks for it."""
        schema = super().__get_pydantic_core_schema__(source, handler)
        return _after(_number_as_text, schema)


@dataclass(frozen=True)
class ListOfNames:
    """Mark a list of names, or one name alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a list; pydantic asks for it."""
        return _after(_names, handler(source))


@dataclass(frozen=True)
class NameOrNames:
    """Mark a name, or a list of several; a list of one is that name."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a value; pydantic asks for it."""
        return {
            "type": "function-wrap",
            "function": {"type": "no-info", "function": _name_or_names},
            "schema": Name().__get_pydantic_core_schema__(str, handler),
            "serialization": {"type": "any"},
        }


@dataclass(frozen=True)
class MappingOfNames:
    """Mark names with a value each, held as pairs and written as a mapping: ``{zip: category}``.

    A list of texts, ``["größe (cm): category"]``, is read as well, for names that can be no key of Hydra's.

    Attributes
    ----------
    wanted
        What is said of anything else.
    """

    wanted: str = (
        "should be names with a value each, such as '{zip: category}', or '[\"größe (cm): category\"]'"
    )

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a mapping; pydantic asks for it."""
        schema = _after(self._pairs, handler(source))
        written = {"type": "function-plain", "function": dict}
        return {**schema, "serialization": written}

    def _pairs(self, value: object) -> object:
        pairs: dict[object, object] = {}
        for name, each in self._entries(value):
            if name in pairs:
                raise ValueError(f"should name {name!r} once")
            pairs[name] = each
        return tuple(sorted(pairs.items(), key=lambda pair: str(pair[0])))

    def _entries(self, value: object) -> Iterator[tuple[object, object]]:
        """Yield the names with their values, of a mapping or of a list of mappings, pairs or texts."""
        if isinstance(value, Mapping):
            yield from ((_number_as_text(name), each) for name, each in value.items())
            return
        if value is not None and not isinstance(value, list | tuple):
            raise ValueError(self.wanted)
        for entry in value or ():
            if isinstance(entry, Mapping):
                yield from self._entries(entry)
            elif isinstance(entry, str) and ":" in entry:
                name, _, of_name = entry.rpartition(":")
                yield name.strip(), of_name.strip()
            elif isinstance(entry, list | tuple) and len(entry) == 2:
                yield _number_as_text(entry[0]), entry[1]
            else:
                raise ValueError(self.wanted)


@dataclass(frozen=True)
class WeightsOfNames(MappingOfNames):
    """Mark names with a weight each, or ``balanced``, or None; pairs are held, and a mapping is written."""

    wanted: str = _WEIGHTS_WANTED

    def __str__(self) -> str:
        """Return what it may be in words."""
        return "balanced, weights such as {rare: 3}"

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such weights; pydantic asks for it."""
        return {
            "type": "function-plain",
            "function": {"type": "no-info", "function": self._weights},
            "serialization": {"type": "function-plain", "function": _written_weights},
        }

    def _weights(self, value: object) -> object:
        if value is None or value == "balanced":
            return value
        pairs = self._pairs(value)
        assert isinstance(pairs, tuple)
        weights = []
        for name, each in pairs:
            if isinstance(each, str):
                try:
                    each = float(each)  # of a list of texts
                except ValueError:
                    raise ValueError(self.wanted) from None
            if not isinstance(name, str) or isinstance(each, bool) or not isinstance(each, int | float):
                raise ValueError(self.wanted)
            if not 0 <= each < math.inf:
                raise ValueError(f"the weight of {name!r} should be a finite number from 0")
            weights.append((_readable(name), float(each)))
        if not weights:
            raise ValueError(self.wanted)
        return tuple(weights)


def _written_weights(value: Any) -> object:
    return dict(value) if isinstance(value, tuple) else value


def _after(convert: Callable[[Any], Any], schema: Any) -> dict[str, Any]:
    """Return pydantic's schema of what a function makes of the input."""
    return {
        "type": "function-before",
        "function": {"type": "no-info", "function": convert},
        "schema": schema,
    }


def _number_as_text(value: object) -> object:
    if isinstance(value, float):
        raise ValueError("is read as a number; put it in quotes: '\"1e5\"'")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _names(value: object) -> object:
    listed = value if isinstance(value, list | tuple) else [value]
    return tuple(_number_as_text(each) for each in listed)


def _name_or_names(value: object, check: Callable[[object], str]) -> str | tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return check(value)
    names = tuple(check(each) for each in value)
    if not names:
        raise ValueError("should be a name, or a list of several")
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise ValueError(f"should name {twice[0]!r} once")
    return names if len(names) > 1 else names[0]


@dataclass(frozen=True)
class TrueOrFalse:
    """Mark a truth value that is neither a number nor a text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of true and false; pydantic asks for it."""
        return {**handler(source), "strict": True}


@dataclass(frozen=True)
class TrueOrLine:
    """Mark a truth value, or the number of a line, counted from 1."""

    def __str__(self) -> str:
        """Return what it may be in words."""
        return "true, false, a number from 1"

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a value; pydantic asks for it."""
        return _after(_true_or_line, handler(source))


def _true_or_line(value: object) -> object:
    if not isinstance(value, int) or (not isinstance(value, bool) and not 0 < value < _INTEGERS):
        raise ValueError("should be true, false, or the number of a line, from 1")
    return value


Flag = Annotated[bool, TrueOrFalse()]
LineOfNames = Annotated[bool | int, TrueOrLine()]
"""Whether there is a line of names, or which one it is."""
Text = Annotated[str, Readable()]
"""Text such as a path or a column."""
ColumnName = Annotated[str, Name()]
"""The name of a column, which may be a whole number."""
ColumnNames = Annotated[tuple[Text, ...], ListOfNames()]
ColumnOrColumns = Annotated[str | tuple[str, ...], NameOrNames()]
"""The name of a column, or those of several."""
Seed = Annotated[int, Range(ge=0)]


@dataclass(frozen=True)
class _TrueOrFalse:
    """Mark a boolean that no number or text stands for."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a boolean; pydantic asks for it."""
        return {**handler(source), "strict": True}


Boolean = Annotated[bool, _TrueOrFalse()]
PositiveInt = Annotated[int, Range(ge=1)]
PositiveFloat = Annotated[float, Range(gt=0)]
NonNegativeFloat = Annotated[float, Range(ge=0)]
Fraction = Annotated[float, Range(ge=0, lt=1)]
ClassWeights = Annotated[tuple[tuple[str, float], ...] | Literal["balanced"] | None, WeightsOfNames()]
"""Weights of classes by their names, or those that make up for how often each class is."""
ShareOrAll = Annotated[float, Range(ge=0, le=1)]


@dataclass(frozen=True)
class PerReplica:
    """Mark a hyperparameter that may differ between the replicas of a stack.

    Attributes
    ----------
    zero_apart
        Replicas for which it is zero train in other stacks, because their training step lacks an operation.
    """

    zero_apart: bool = False


@dataclass(frozen=True)
class Program:
    """Mark a hyperparameter that all replicas of a stack share: it decides what a step computes."""


PER_REPLICA = PerReplica()
PER_REPLICA_ZERO_APART = PerReplica(zero_apart=True)
PROGRAM = Program()


@dataclass(frozen=True)
class Hyperparameter:
    """A hyperparameter of an entry.

    Attributes
    ----------
    kind
        Its type, without annotations.
    default
        ``dataclasses.MISSING`` if it must be given.
    varies
        What may differ within a stack.
    range
        The numbers it may be; None if it is no number, or any.
    sentence
        What its entry's docstring says about it; empty if nothing.
    """

    name: str
    kind: Any
    default: Any
    varies: PerReplica | Program
    range: Range | None
    sentence: str

    def of(self, entry: object) -> Any:
        """Return its value in an instance of the entry."""
        return getattr(entry, self.name)


@cache
def hyperparameters_of(entry: type) -> Mapping[str, Hyperparameter]:
    """Return the hyperparameters of a data class by name: its fields that are marked."""
    hints, sentences = get_type_hints(entry, include_extras=True), parameter_sentences(entry)
    found = {}
    for field in dataclasses.fields(entry):
        marks = tuple(marks_of(hints[field.name]))
        varies = next((mark for mark in marks if isinstance(mark, PerReplica | Program)), None)
        if varies is None:
            continue
        default = default_of(field)
        allowed = next((mark for mark in marks if isinstance(mark, Range)), None)
        kind = (
            get_args(hints[field.name])[0]
            if get_origin(hints[field.name]) is Annotated
            else hints[field.name]
        )
        found[field.name] = Hyperparameter(
            field.name, kind, default, varies, allowed, sentences.get(field.name, "")
        )
    return found


def default_of(field: "dataclasses.Field[Any]") -> Any:
    """Return a field's default as a config has it; ``dataclasses.MISSING`` if it must be given.

    No names with values are None, which Hydra lets a dictionary and a list take the place of.
    """
    if any(isinstance(mark, MappingOfNames) for mark in marks_of(field.type)):
        return None
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def program_of(entry: Any) -> tuple[object, ...]:
    """Return a key of an entry that is equal for those that can train in one stack."""
    parts: list[object] = [type(entry).__name__]
    kind: type = type(entry)
    for each in hyperparameters_of(kind).values():
        if isinstance(each.varies, Program):
            parts.append(each.of(entry))
        elif each.varies.zero_apart:
            parts.append(each.of(entry) != 0)
    return tuple(parts)


@cache
def parameter_sentences(entry: type) -> Mapping[str, str]:
    """Return what the "Parameters" sections of a class and its bases say about each parameter."""
    found: dict[str, str] = {}
    for each in reversed(entry.__mro__):
        found |= dict(_sections(each.__doc__ or ""))
    return found


def first_sentence(entry: object) -> str:
    """Return the first paragraph of a docstring in one line: an entry's help."""
    return " ".join(inspect.cleandoc(getattr(entry, "__doc__", None) or "").partition("\n\n")[0].split())


def _sections(docstring: str) -> Iterator[tuple[str, str]]:
    """Yield each name of a docstring's "Parameters" or "Attributes" section, and the text below it."""
    lines = inspect.cleandoc(docstring).splitlines()
    names: list[str] = []
    text: list[str] = []
    inside = False
    for line, following in zip(lines, [*lines[1:], ""], strict=False):
        if following and set(following) == {"-"}:
            yield from ((name, " ".join(text)) for name in names)
            names, text, inside = [], [], line in ("Parameters", "Attributes")
        elif inside and line and not line.startswith((" ", "-")):
            yield from ((name, " ".join(text)) for name in names)
            names, text = [name.strip() for name in line.partition(" : ")[0].split(",")], []
        elif inside and line.strip("- "):
            text.append(line.strip())
    yield from ((name, " ".join(text)) for name in names)


def marks_of(annotation: Any) -> Iterator[object]:
    """Yield the marks of an annotation, those of a union's members, too."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        yield from marks
        yield from marks_of(inner)
    else:
        for each in get_args(annotation):
            yield from marks_of(each)
