"""Which documents of a BSON batch are what a schema says, byte for byte, without decoding them.

All documents are walked in step, one field at a time: numpy compares the field's name and type in
every document at once and moves every position on. That takes a fraction of the decoding. A
document that has passed is one that pymongoarrow decodes without loss; the others are odd: a value
of another type, NaN among the numbers, a document that is null inside an array, a subtype of a
binary, a date with a time.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..bson_elements import elements
from .arrow_types import ARRAY, BINARY, DOUBLE, NULL, Node, pa

_LENGTH = struct.Struct("<i")
# Longer arrays are walked slower than they are decoded in Python.
_LONGEST_ARRAY = 256
_DAY = 86_400_000
# Names are compared past the end of the last documents too.
_LONGEST_NAME = 1000
_PADDING = bytes(_LONGEST_NAME + 16)
# Documents whose fields come in another order are walked again, in theirs.
_ORDERS = 4
# Fewer documents than this are decoded in Python as fast as they are walked again.
_FEW = 32
Positions = Any
Rows = Any
Path = tuple[str, ...]


def starts_of(stream: bytes) -> list[int]:
    """Return where each of the documents that follow one another begins."""
    starts: list[int] = []
    position, end = 0, len(stream)
    note, length_at = starts.append, _LENGTH.unpack_from
    while position < end:
        note(position)
        position += length_at(stream, position)[0]
    return starts


class Walk:
    """One batch of documents.

    Parameters:
        stream: BSON documents that follow one another.
        starts: Where each begins.

    After `check`, `odd` is True for each row that is not what the schema says. `absent` has a mask
    for each struct that is null or missing somewhere, True for the rows in which it is:
    pymongoarrow gives those rows a struct of nulls.
    """

    def __init__(self, stream: bytes, starts: Sequence[int]) -> None:
        self._stream = stream
        self._starts = np.array(starts, np.int64)
        padded = stream + _PADDING
        self._bytes = np.frombuffer(padded, np.uint8)
        # What would be read at every single byte: unaligned, as BSON is.
        self._words = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))
        self._ints = np.ndarray((len(padded) - 3,), "<i4", padded, strides=(1,))
        # Where an odd document is sent: it reads as the end of a document there.
        self._nowhere = len(stream)
        self.odd = np.zeros(len(starts), bool)
        self.absent: dict[Path, Any] = {}
        self._noted: set[Path] = set()
        self._places: dict[str, tuple[Positions, Positions]] = {}

    def check(self, root: Node) -> None:
        """Walk all documents."""
        rows = np.arange(len(self._starts))
        for _ in range(_ORDERS):
            if not len(rows):
                return
            self.odd[rows] = False
            self._noted.clear()
            self._all = rows
            self._documents(self._starts[rows], root, (), rows)
            left = rows[self.odd[rows]]
            if len(left) < _FEW or len(left) == len(rows):
                return
            rows = left

    def parts(self, rows: Rows) -> bytes:
        """Return documents that hold nothing but the columns that pymongoarrow does not decode."""
        stream, pack = self._stream, _LENGTH.pack
        columns = [
            [stream[begin:end] for begin, end in zip(begins[rows], ends[rows], strict=True)]
            for begins, ends in self._places.values()
        ]
        bodies = map(b"".join, zip(*columns, strict=True))
        return b"".join([pack(len(body) + 5) + body + b"\0" for body in bodies])

    def _mark(self, rows: Rows) -> None:
        self.odd[rows] = True

    def _documents(self, starts: Positions, node: Node, path: Path | None, rows: Rows) -> None:
        """Walk documents; `rows` are theirs in the batch, `path` is None in an array."""
        positions = starts + 4
        order = self._in_order(int(starts[0]), node)
        if order is None:
            self._mark(rows)
            return
        for key, child in order:
            positions = self._field(positions, key, child, path, rows)
        self._mark(rows[self._bytes[positions] != 0])

    def _in_order(self, start: int, node: Node) -> list[tuple[str, Node | None]] | None:
        """Return the fields in the order of the first document; what it lacks, in the schema's.

        None if the first document has fields that it may not have, or one of them twice.
        """
        first = [name for name, *_ in elements(self._stream, start)]
        known = dict(node.children)
        if len(set(first)) < len(first) or (node.is_closed and not known.keys() >= set(first)):
            return None
        order: list[str] = list(first)
        place = 0
        for name in known:
            if name in first:
                place = order.index(name) + 1
            else:
                order.insert(place, name)
                place += 1
        if any(len(name.encode()) >= _LONGEST_NAME for name in order):
            return None
        return [(name, known.get(name)) for name in order]

    def _field(
        self, positions: Positions, key: str, node: Node | None, path: Path | None, rows: Rows
    ) -> Positions:
        name = key.encode() + b"\0"
        found = self._has_name(positions, name)
        below = None if path is None else (*path, key)
        if found.all():
            moved = self._values(positions, len(name), node, below, rows)
        else:
            here = np.flatnonzero(found)
            if node is not None and node.is_struct and node.wire is not None:
                self._note_absent(below, rows, here)
            moved = positions.copy()
            if len(here):
                moved[here] = self._values(positions[here], len(name), node, below, rows[here])
        if path == () and node is not None and node.wire is None:
            self._note_place(key, rows, positions, moved)
        return moved

    def _has_name(self, positions: Positions, name: bytes) -> Any:
        """Say for each position whether an element of this name is there."""
        found = None
        for start in range(0, len(name), 8):
            part = name[start : start + 8]
            mask = (1 << 8 * len(part)) - 1
            words = self._words[positions + (1 + start)]
            same = (words & np.uint64(mask)) == np.uint64(int.from_bytes(part, "little"))
            found = same if found is None else found & same
        return found & (self._bytes[positions] != 0)

    def _values(
        self, elements: Positions, name: int, node: Node | None, path: Path | None, rows: Rows
    ) -> Positions:
        """Walk the values of elements of one name and return where the next elements begin."""
        types = self._bytes[elements]
        positions = elements + (1 + name)
        if node is None or node.wire is None:
            return self._passed(positions, types, rows)
        nulls = types == NULL
        if not nulls.any():
            return self._present(positions, types, node, path, rows)
        here = np.flatnonzero(~nulls)
        if node.is_struct:
            self._note_absent(path, rows, here)
        elif node.is_list and path is None:
            self._mark(rows[nulls])
        moved = positions.copy()
        if len(here):
            moved[here] = self._present(positions[here], types[here], node, path, rows[here])
        return moved

    def _present(
        self, positions: Positions, types: Any, node: Node, path: Path | None, rows: Rows
    ) -> Positions:
        fits = self._fits(positions, types, node)
        if fits.all():
            return self._moved(positions, types, node, path, rows)
        self._mark(rows[~fits])
        moved = np.full(len(positions), self._nowhere, np.int64)
        here = np.flatnonzero(fits)
        if len(here):
            moved[here] = self._moved(positions[here], types[here], node, path, rows[here])
        return moved

    def _fits(self, positions: Positions, types: Any, node: Node) -> Any:
        """Say for each value whether it is one of the column's, as far as its first bytes tell."""
        if node.code:
            fits = types == node.code
            return (
                fits & (self._bytes[positions + 4] == node.subtype) if node.code == BINARY else fits
            )
        (main, _), *others = node.sizes
        fits = types == main
        if main == DOUBLE:
            fits &= ~np.isnan(self._words[positions].view("<f8"))
        elif pa.types.is_date32(node.type):
            fits &= self._words[positions].view("<i8") % _DAY == 0
        if others and not fits.all():
            for code, _ in others:
                fits |= types == code
        return fits

    def _moved(
        self, positions: Positions, types: Any, node: Node, path: Path | None, rows: Rows
    ) -> Positions:
        """Return where values end, having walked those that have parts."""
        if not node.code:
            (main, size), *others = node.sizes
            is_main = types == main
            if is_main.all():
                return positions + size
            sizes = np.full(len(types), size)
            for code, other in others:
                sizes[types == code] = other
            return positions + sizes
        lengths = self._ints[positions]
        if node.is_struct:
            self._documents(positions, node, path, rows)
            return positions + lengths
        if node.code == ARRAY:
            self._arrays(positions, lengths, node.item, rows)
            return positions + lengths
        return positions + lengths + (5 if node.code == BINARY else 4)

    def _arrays(self, positions: Positions, lengths: Any, item: Node, rows: Rows) -> None:
        ends = positions + lengths - 1
        positions = positions + 4
        index = 0
        while True:
            alive = positions < ends
            if not alive.all():
                positions, ends, rows = positions[alive], ends[alive], rows[alive]
            if not len(positions):
                return
            name = str(index).encode() + b"\0"
            is_next = self._has_name(positions, name)
            if index == _LONGEST_ARRAY:
                is_next[:] = False
            if not is_next.all():
                self._mark(rows[~is_next])
                positions, ends, rows = positions[is_next], ends[is_next], rows[is_next]
            if len(positions):
                positions = self._values(positions, len(name), item, None, rows)
            index += 1

    def _note_absent(self, path: Path | None, rows: Rows, present: Any) -> None:
        """Note that a struct is present in some rows alone, of those that its parent is in."""
        absent = np.ones(len(rows), bool)
        absent[present] = False
        if path is None:
            self._mark(rows[absent])
            return
        mask = self.absent.setdefault(path, np.zeros(len(self._starts), bool))
        if path not in self._noted:
            mask[self._all] = True
            self._noted.add(path)
        mask[rows] = absent

    def _note_place(self, name: str, rows: Rows, begins: Positions, ends: Positions) -> None:
        nowhere = np.zeros(len(self._starts), np.int64)
        places = self._places.setdefault(name, (nowhere, nowhere.copy()))
        places[0][rows] = begins
        places[1][rows] = ends

    def _passed(self, positions: Positions, types: Any, rows: Rows) -> Positions:
        """Return where values end that are not looked at."""
        fixed = _FIXED[types]
        moved = positions + np.where(fixed < 0, self._ints[positions] - fixed - 1, fixed)
        unknown = fixed == _UNKNOWN
        if unknown.any():
            self._mark(rows[unknown])
            moved[unknown] = self._nowhere
        return moved


# The size of a value by its type. Where a length comes first: -1 less the bytes it leaves out.
_UNKNOWN = -100
_FIXED = np.full(256, _UNKNOWN, np.int64)
for _code, _size in {
    0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16,
    0x06: 0, 0xFF: 0, 0x7F: 0,
    0x02: -5, 0x0D: -5, 0x0E: -5, 0x03: -1, 0x04: -1, 0x0F: -1, 0x05: -6,
}.items():  # fmt: skip
    _FIXED[_code] = _size
