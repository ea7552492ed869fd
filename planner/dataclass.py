"""`dataclass` as the standard library has it, made faster where a class is frozen and has slots.

`dataclasses.dataclass` compiles every method of every class from text: seven for a frozen one. With some 150 classes
that was a sixth of the time of a plan with nothing to do. Here only `__init__` is compiled, when the first instance is
made; it sets the fields by their slots. The other methods are functions that all classes share and that do what the
standard ones do. All other forms (`order`, no slots, own `__post_init__`, a dataclass as base) are the standard
library's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

_MADE = object()  # in the place of an argument whose default is made by each call


def _init(cls: type, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """`__init__`: the same parameters and defaults, each field set by its slot."""
    scope: dict[str, Any] = {"_MADE": _MADE}
    parameters, lines = ["self"], []
    for number, one in enumerate(fields):
        name, value = one.name, one.name
        scope[f"_set{number}"] = getattr(cls, name).__set__
        if one.default_factory is not dataclasses.MISSING:
            scope[f"_make{number}"] = one.default_factory
            parameters.append(f"{name}=_MADE")
            value = f"_make{number}() if {name} is _MADE else {name}"
        elif one.default is not dataclasses.MISSING:
            scope[f"_default{number}"] = one.default
            parameters.append(f"{name}=_default{number}")
        else:
            parameters.append(name)
        lines.append(f" _set{number}(self, {value})")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines or [" pass"]), scope)  # noqa: S102 - names only
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _first_init(cls: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """`__init__` until the first instance is made, for of half of the classes a command makes none: it compiles the one
    that stays."""

    def first(self: object, *positional: Any, **named: Any) -> None:
        cls.__init__ = _init(cls, fields)  # threads that come here together do the same
        cls.__init__(self, *positional, **named)

    first.__qualname__ = f"{cls.__qualname__}.__init__"
    return first


def _values_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the values of some fields as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = type(self).__compared__
    return compared(self) == compared(other)


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
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


_SHARED = {"__eq__": _eq, "__hash__": _hash, "__repr__": _repr, "__getstate__": _getstate, "__setstate__": _setstate}


def _frozen(cls: type) -> type:
    own = set(vars(cls))
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    made.__dataclass_params__.frozen = made.__dataclass_params__.eq = True  # for those that ask, and inherit
    fields = dataclasses.fields(made)
    made.__compared__ = staticmethod(_values_of([one.name for one in fields if one.compare]))
    made.__init__ = _first_init(made, fields)
    for name, method in _SHARED.items():
        if name not in own or (name == "__hash__" and "__eq__" in own and made.__hash__ is None):
            setattr(made, name, method)
    made.__setattr__, made.__delattr__ = _setattr, _delattr
    kind: type = made
    return kind


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, **how: Any) -> Any:
        """See dataclasses.dataclass. A frozen class with slots does not differ from one of the standard library by what
        its instances do; it keeps no annotations of `__init__`."""

        def made(given: type) -> type:
            ours = how == {"frozen": True, "slots": True} and not hasattr(given, "__post_init__")
            ours = ours and not any(map(dataclasses.is_dataclass, given.__bases__))
            return _frozen(given) if ours else dataclasses.dataclass(**how)(given)

        return made if cls is None else made(cls)
