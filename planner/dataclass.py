"""`dataclass` as the standard library has it, made faster where a class has slots.

`dataclasses.dataclass` compiles every method of every class from text and looks at each annotation: with some 150
classes that was a sixth of the time of a plan with nothing to do. Here one `__init__` is compiled for all classes whose
parameters are made alike; it sets the fields by their slots. The other methods are functions that all classes share and
that do what the standard ones do. `dataclasses.fields` asks the standard library when it is first called. Other forms
(no slots, a base that is a dataclass or has slots, fields that are no parameters) are the standard library's.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping
from functools import cache
from reprlib import recursive_repr
from types import FunctionType
from typing import TYPE_CHECKING, Any

_MADE = object()  # in the place of an argument whose default is made by each call
_NO_FIELD = ("ClassVar", "InitVar", "KW_ONLY")  # words of annotations that the standard library treats on its own
_FORMS = {"frozen", "slots", "order", "eq"}


@cache
def _template(made_by_call: tuple[bool, ...], then: bool) -> Any:
    """The code of an `__init__` with one parameter for each entry, which says whether its default is made by each
    call; `then` says whether `__post_init__` follows."""
    lines = [
        f" _set{n}(self, _make{n}() if _{n} is _MADE else _{n})" if made else f" _set{n}(self, _{n})"
        for n, made in enumerate(made_by_call)
    ]
    parameters = "".join(f", _{n}" for n in range(len(made_by_call)))
    end = " self.__post_init__()" if then else " pass"
    scope: dict[str, Any] = {}
    exec("\n".join([f"def __init__(self{parameters}):", *lines, end]), scope)  # noqa: S102 - numbers only
    return scope["__init__"].__code__


def _init(cls: type, names: tuple[str, ...], defaults: Mapping[str, Any]) -> FunctionType:
    """`__init__`: the same parameters and defaults, each field set by its slot."""
    scope: dict[str, Any] = {"_MADE": _MADE}
    makes, given = [], []
    for n, name in enumerate(names):
        scope[f"_set{n}"] = getattr(cls, name).__set__
        default = defaults.get(name, dataclasses.MISSING)
        factory = default.default_factory if isinstance(default, dataclasses.Field) else dataclasses.MISSING
        makes.append(factory is not dataclasses.MISSING)
        if factory is not dataclasses.MISSING:
            scope[f"_make{n}"], default = factory, _MADE
        elif isinstance(default, dataclasses.Field):
            default = default.default
        if default is not dataclasses.MISSING:
            given.append(default)
    template = _template(tuple(makes), hasattr(cls, "__post_init__"))
    code = template.replace(co_varnames=("self", *names), co_qualname=f"{cls.__qualname__}.__init__")
    init = FunctionType(code, scope, "__init__", tuple(given))
    init.__qualname__ = code.co_qualname
    return init


def _values_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the values of some fields as a tuple."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _by(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A comparison of two instances of one class by their fields."""

    def compared(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        values = type(self).__compared__
        return compare(values(self), values(other))

    return compared


def _hash(self: Any) -> int:
    return hash(type(self).__compared__(self))


@recursive_repr("...")
def _repr(self: Any) -> str:
    shown = [f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _setattr(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, name) for name in type(self).__slots__]


def _setstate(self: Any, state: list[Any]) -> None:
    for name, value in zip(type(self).__slots__, state, strict=True):
        object.__setattr__(self, name, value)


_eq = _by(operator.eq)
_ORDER = {f"__{compare.__name__}__": _by(compare) for compare in (operator.lt, operator.le, operator.gt, operator.ge)}
_FROZEN = {"__setattr__": _setattr, "__delattr__": _delattr}
_STATE = {"__getstate__": _getstate, "__setstate__": _setstate}


class _AskedLater:
    """What the standard library keeps of a dataclass in a class attribute, made when it is first asked for."""

    def __init__(self, cls: type, defaults: Mapping[str, Any], how: Mapping[str, bool]) -> None:
        self._annotations = cls.__annotations__
        self._defaults = defaults
        self._how = how

    def __set_name__(self, owner: type, name: str) -> None:
        self._holder, self._name = owner, name

    def __get__(self, instance: object, owner: type) -> Any:
        body = {"__annotations__": dict.fromkeys(self._annotations, object), "__doc__": "", **self._defaults}
        kept: Any = vars(dataclasses.dataclass(init=False, repr=False, eq=False)(type(owner.__name__, (), body)))
        for name, annotation in self._annotations.items():  # a text would be searched for ClassVar
            kept["__dataclass_fields__"][name].type = annotation
        for word, said in {"init": True, "repr": True, "eq": True, **self._how}.items():
            if word != "slots":
                setattr(kept["__dataclass_params__"], word, said)
        setattr(self._holder, self._name, kept[self._name])  # threads that ask at the same time all get this far
        return kept[self._name]


def _with_slots(cls: type, names: tuple[str, ...], how: Mapping[str, bool]) -> type:
    """The class anew: with slots in the place of the defaults, and with the methods of a dataclass."""
    body = dict(vars(cls))
    defaults = {name: body.pop(name) for name in names if name in body}
    fields = {name: one for name, one in defaults.items() if isinstance(one, dataclasses.Field)}
    own = set(body)
    if "__eq__" in own and body.get("__hash__") is None:
        own.discard("__hash__")  # the interpreter's, for a class that says how it is compared
    eq, frozen = how.get("eq", True), how.get("frozen", False)
    hashed: Any = {"__hash__": _hash if frozen else None} if eq else {}
    shared = {"__repr__": _repr, **({"__eq__": _eq} if eq else {}), **hashed}
    shared |= {**_FROZEN, **_STATE} if frozen else {}
    shared |= _ORDER if how.get("order") else {}
    body |= {name: method for name, method in shared.items() if name not in own}
    later = {name: _AskedLater(cls, defaults, how) for name in ("__dataclass_fields__", "__dataclass_params__")}
    compared = [name for name in names if name not in fields or fields[name].compare]
    body |= {"__slots__": names, "__match_args__": names, "__compared__": staticmethod(_values_of(compared)), **later}
    for gone in ("__dict__", "__weakref__"):
        body.pop(gone, None)
    made: Any = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    made.__init__ = _init(made, names, defaults)
    return made  # type: ignore[no-any-return]


def _is_ours(cls: type, how: Mapping[str, bool]) -> bool:
    """Whether a class is of the form that `_with_slots` makes; every other one, also a wrong one, and one whose
    annotations the interpreter keeps elsewhere, is for the standard library."""
    body: Mapping[str, Any] = vars(cls)
    annotations = body.get("__annotations__", {})
    if not annotations or not how.get("slots") or set(how) - _FORMS or (how.get("order") and not how.get("eq", True)):
        return False
    if any("__dataclass_fields__" in vars(base) or vars(base).get("__slots__") for base in cls.__mro__[1:]):
        return False
    said = {"__slots__", "__init__", *(_ORDER if how.get("order") else ()), *(_FROZEN if how.get("frozen") else ())}
    if said & set(body) or "self" in annotations:
        return False
    if any(not isinstance(one, str) or any(word in one for word in _NO_FIELD) for one in annotations.values()):
        return False
    return _defaults_are_plain(annotations, body)


def _defaults_are_plain(names: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether every field is a parameter and can be hashed as it is compared, and whether those with a default come
    last."""
    last = False
    for name in names:
        default = body.get(name, dataclasses.MISSING)
        if isinstance(default, dataclasses.Field):
            if not default.init or default.hash is not None or default.kw_only is True:
                return False
            has = default.default is not dataclasses.MISSING or default.default_factory is not dataclasses.MISSING
            default = default.default
        else:
            has = default is not dataclasses.MISSING
        if (last and not has) or default.__class__.__hash__ is None:
            return False
        last = has
    return not any(isinstance(value, dataclasses.Field) and name not in names for name, value in body.items())


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, **how: Any) -> Any:
        """See dataclasses.dataclass. A class with slots does not differ from one of the standard library by what its
        instances do; it keeps no annotations of `__init__` and makes up no docstring."""

        def made(given: type) -> type:
            if _is_ours(given, how):
                return _with_slots(given, tuple(given.__annotations__), how)
            return dataclasses.dataclass(**how)(given)

        return made if cls is None else made(cls)
