"""Units: names with powers, written `EUR`, `EUR/visit` or `m^2*kg/s^2`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

LONGEST_UNIT = 200  # characters
HIGHEST_POWER = 999

_FACTOR = re.compile(r"([^*/^]+)(?:\^([1-9][0-9]{0,2}))?")


class UnitsDisagree(ValueError):
    """Units that cannot be joined so, or a text that is no unit."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Names with their powers, sorted by name, of which none is 0; with none it is that of a plain number.

    A `constant` fits every unit in a sum, and is a plain number in a product.
    """

    powers: tuple[tuple[str, int], ...] = ()
    constant: bool = False

    @classmethod
    def of(cls, powers: Mapping[str, int]) -> Unit:
        """The unit of these powers; UnitsDisagree where it would be too long to be written."""
        unit = cls(tuple(sorted((name, power) for name, power in powers.items() if power)))
        if len(str(unit)) > LONGEST_UNIT:
            raise UnitsDisagree(f"the unit would be longer than {LONGEST_UNIT} characters")
        if any(abs(power) > HIGHEST_POWER for _, power in unit.powers):
            raise UnitsDisagree(f"the unit would have a power above {HIGHEST_POWER}")
        return unit

    @classmethod
    def read(cls, text: str | None) -> Unit:
        """The unit of a text, a plain number's for None; UnitsDisagree where the text is none."""
        if text is None or not text.strip():
            return cls()
        if len(text) > LONGEST_UNIT:
            raise UnitsDisagree(f"a unit has at most {LONGEST_UNIT} characters, but {len(text)} came")
        powers: Counter[str] = Counter()
        # "a/b*c": every second piece is the sign that stands before the factor after it.
        pieces = ["*", *re.split(r"([*/])", text)]
        for sign, piece in zip(pieces[::2], pieces[1::2], strict=True):
            factor = _FACTOR.fullmatch(piece.strip())
            if factor is None or not factor[1].strip():
                raise UnitsDisagree(
                    f"{text!r} is no unit; write names with '*', '/' and '^', like 'EUR/visit'"
                )
            name, power = " ".join(factor[1].split()), int(factor[2] or 1)
            if name != "1":
                powers[name] += power if sign == "*" else -power
        return cls.of(powers)

    def __str__(self) -> str:
        above = [_factor(name, power) for name, power in self.powers if power > 0]
        below = [f"/{_factor(name, -power)}" for name, power in self.powers if power < 0]
        return ("*".join(above) or "1") + "".join(below)

    @property
    def text(self) -> str | None:
        """What it is written as; None for a plain number."""
        return str(self) if self.powers else None

    @property
    def told(self) -> str:
        """What it is called in a message."""
        return f"in {str(self)!r}" if self.powers else "a plain number"

    def times(self, other: Unit) -> Unit:
        """The unit of a product."""
        return self._joined(other, 1)

    def per(self, other: Unit) -> Unit:
        """The unit of a quotient; a plain number's where both are equal."""
        return self._joined(other, -1)

    def _joined(self, other: Unit, sign: int) -> Unit:
        powers = Counter(dict(self.powers))
        for name, power in other.powers:
            powers[name] += sign * power
        return Unit.of(powers)


def one_unit(units: Mapping[str, Unit | None]) -> Unit | None:
    """The unit that all have, by the places of what has them; UnitsDisagree names two that differ.

    Constants fit, and so does None: what has a fault of its own, so that its unit cannot be told.
    """
    measured = {place: unit for place, unit in units.items() if unit is not None and not unit.constant}
    first = next(iter(measured), None)
    if first is None:
        return None
    for place, unit in measured.items():
        if unit != measured[first]:
            raise UnitsDisagree(
                f"one unit was wanted, but {first} is {measured[first].told} and {place} is {unit.told}"
            )
    return measured[first]


def product(units: Mapping[str, Unit | None]) -> Unit | None:
    """The unit of all multiplied; None where one cannot be told."""
    return _reduced(units, Unit.times)


def quotient(units: Mapping[str, Unit | None]) -> Unit | None:
    """The unit of the first divided by all others; None where one cannot be told."""
    return _reduced(units, Unit.per)


def _reduced(units: Mapping[str, Unit | None], joined: Callable[[Unit, Unit], Unit]) -> Unit | None:
    known = [unit for unit in units.values() if unit is not None]
    return reduce(joined, known) if len(known) == len(units) else None


def _factor(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"
