"""Whether a batch of BSON documents is what a schema says, byte for byte, without decoding it.

All documents are walked in step, one field at a time: numpy compares the field's name and type in
every document at once and moves every position on. That takes a fraction of the decoding, and what
has passed is what pymongoarrow decodes without loss; its other cases are written down in
`Unfaithful`.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from ..elements import elements
from .nodes import ARRAY, BINARY, DOUBLE, NULL, Node, pa

_LENGTH = struct.Struct("<i").unpack_from
# Longer arrays are walked slower than they are decoded in Python.
_LONGEST_ARRAY = 256
_DAY = 86_400_000
# Names are compared past the end of the last documents too.
_LONGEST_NAME = 1000
_PADDING = bytes(_LONGEST_NAME + 16)
Positions = Any


class Unfaithful(Exception):
    """pymongoarrow would lose or change something: a value of another type, NaN among the numbers,
    a document that is null inside an array, a subtype of a binary, a date with a time.
    """


def starts_of(stream: bytes) -> list[int]:
    """Return where each of the documents that follow one another begins."""
    starts: list[int] = []
    position, end = 0, len(stream)
    while position < end:
        starts.append(position)
        position += _LENGTH(stream, position)[0]
    return starts


class Walk:
    """One batch of documents.

    Parameters:
        stream: BSON documents that follow one another.

    After `check`, `absent` has a mask for each struct that is null or missing somewhere: True for
    the rows in which it is. pymongoarrow gives those rows a struct of nulls.
    """

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        padded = stream + _PADDING
        self._bytes = np.frombuffer(padded, np.uint8)
        # What would be read at every single byte: unaligned, as BSON is.
        self._words = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))
        self._ints = np.ndarray((len(padded) - 3,), "<i4", padded, strides=(1,))
        self.absent: dict[tuple[str, ...], Any] = {}
        self.rows = 0

    def check(self, root: Node) -> None:
        """Walk all documents.

        Raises:
            Unfaithful: Something is not as the schema says.
        """
        starts = np.array(starts_of(self._stream), np.int64)
        self.rows = len(starts)
        if self.rows:
            self._documents(starts, root, (), None)

    def _documents(
        self, starts: Positions, node: Node, path: tuple[str, ...] | None, rows: Any
    ) -> None:
        """Walk documents; `rows` are theirs in the batch, None for all; `path` None in an array."""
        positions = starts + 4
        for key, child in self._in_order(int(starts[0]), node):
            positions = self._field(positions, key, child, path, rows)
        if self._bytes[positions].any():
            raise Unfaithful

    def _in_order(self, start: int, node: Node) -> list[tuple[str, Node | None]]:
        """Return the fields in the order of the first document; what it lacks, in the schema's."""
        first = [name for name, *_ in elements(self._stream, start)]
        known = dict(node.children)
        if node.is_closed and not known.keys() >= set(first):
            raise Unfaithful
        order: list[str] = list(first)
        place = 0
        for name in known:
            if name in first:
                place = order.index(name) + 1
            else:
                order.insert(place, name)
                place += 1
        return [(name, known.get(name)) for name in order]

    def _field(
        self,
        positions: Positions,
        key: str,
        node: Node | None,
        path: tuple[str, ...] | None,
        rows: Any,
    ) -> Positions:
        name = key.encode() + b"\0"
        if len(name) > _LONGEST_NAME:
            raise Unfaithful
        found = self._has_name(positions, name)
        below = None if path is None else (*path, key)
        if found.all():
            types = self._bytes[positions]
            return self._values(positions + (1 + len(name)), types, node, below, rows)
        here = np.flatnonzero(found)
        if node is not None and node.is_struct:
            self._note_absent(below, rows, here)
        if not len(here):
            return positions
        moved = positions.copy()
        types = self._bytes[positions[here]]
        mine = here if rows is None else rows[here]
        values = positions[here] + (1 + len(name))
        moved[here] = self._values(values, types, node, below, mine)
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
        self,
        positions: Positions,
        types: Any,
        node: Node | None,
        path: tuple[str, ...] | None,
        rows: Any,
    ) -> Positions:
        """Walk the values of one field and return where the next elements begin."""
        if node is None:
            return positions + self._sizes_of_any(types, positions)
        nulls = types == NULL
        if not nulls.any():
            return self._present(positions, types, node, path, rows)
        here = np.flatnonzero(~nulls)
        if node.is_struct:
            self._note_absent(path, rows, here)
        elif node.is_list and path is None:
            raise Unfaithful
        moved = positions.copy()
        if len(here):
            mine = here if rows is None else rows[here]
            moved[here] = self._present(positions[here], types[here], node, path, mine)
        return moved

    def _present(
        self,
        positions: Positions,
        types: Any,
        node: Node,
        path: tuple[str, ...] | None,
        rows: Any,
    ) -> Positions:
        if not node.code:
            return positions + self._sizes(positions, types, node)
        if (types != node.code).any():
            raise Unfaithful
        lengths = self._ints[positions]
        if node.is_struct:
            self._documents(positions, node, path, rows)
            return positions + lengths
        if node.code == ARRAY:
            self._arrays(positions, lengths, node.item)
            return positions + lengths
        if node.code == BINARY:
            if (self._bytes[positions + 4] != node.subtype).any():
                raise Unfaithful
            return positions + lengths + 5
        return positions + lengths + 4

    def _sizes(self, positions: Positions, types: Any, node: Node) -> Any:
        (main, size), *others = node.sizes
        is_main = types == main
        if main == DOUBLE and np.isnan(self._words[positions[is_main]].view("<f8")).any():
            raise Unfaithful
        if pa.types.is_date32(node.type) and (self._words[positions].view("<i8") % _DAY).any():
            raise Unfaithful
        if is_main.all():
            return size
        sizes = np.where(is_main, size, 0)
        for code, other in others:
            sizes[types == code] = other
        if not sizes.all():
            raise Unfaithful
        return sizes

    def _arrays(self, positions: Positions, lengths: Any, item: Node) -> None:
        ends = positions + lengths - 1
        positions = positions + 4
        index = 0
        while True:
            alive = positions < ends
            if not alive.all():
                positions, ends = positions[alive], ends[alive]
            if not len(positions):
                return
            name = str(index).encode() + b"\0"
            if index == _LONGEST_ARRAY or not self._has_name(positions, name).all():
                raise Unfaithful
            types = self._bytes[positions]
            positions = self._values(positions + (1 + len(name)), types, item, None, None)
            index += 1

    def _note_absent(self, path: tuple[str, ...] | None, rows: Any, present: Any) -> None:
        """Note that a struct is present in some rows alone, of those that its parent is in."""
        if path is None:
            raise Unfaithful
        mask = self.absent.setdefault(path, np.ones(self.rows, bool))
        here = slice(None) if rows is None else rows
        absent = np.ones(self.rows if rows is None else len(rows), bool)
        absent[present] = False
        mask[here] = absent

    def _sizes_of_any(self, types: Any, positions: Positions) -> Any:
        """Return the sizes of values that the schema leaves out."""
        fixed = _FIXED[types]
        if (fixed == _UNKNOWN).any():
            raise Unfaithful
        return np.where(fixed < 0, self._ints[positions] - fixed - 1, fixed)


# The size of a value by its type. Where a length comes first: -1 less the bytes it leaves out.
_UNKNOWN = -100
_FIXED = np.full(256, _UNKNOWN, np.int64)
for _code, _size in {
    0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16,
    0x06: 0, 0xFF: 0, 0x7F: 0,
    0x02: -5, 0x0D: -5, 0x0E: -5, 0x03: -1, 0x04: -1, 0x0F: -1, 0x05: -6,
}.items():  # fmt: skip
    _FIXED[_code] = _size
