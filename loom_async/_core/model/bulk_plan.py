"""The steps of `persist_many`, and the outcome of each document, as result or `BulkError`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from ..errors import BulkEntry, BulkError, LoomError
from .declaration import declared_namespace
from .document import DocumentModel
from .hydration import collector_paused
from .upsert_plan import Planner
from .write_attempt import Insertion, Modification, Upsert, WritePlan
from .write_plan import plan_persist
from .write_results import PersistResult

T = TypeVar("T")

# Planning them takes a few milliseconds, for which no other task runs.
_SLICE = 250


class Step(NamedTuple):
    """The write of one document; `position` is that of the document in the input."""

    position: int
    document: DocumentModel
    plan: WritePlan | Upsert

    @property
    def is_insert(self) -> bool:
        """True for a document whose id no other document may have."""
        return isinstance(self.plan, Insertion) and not self.plan.replace

    @property
    def is_alone(self) -> bool:
        """True for an update that needs a command of its own: an upsert takes no `$expr`."""
        return isinstance(self.plan, Modification) and "$expr" in self.plan.condition

    @property
    def is_upsert(self) -> bool:
        """True for an object that is matched by its natural key."""
        return isinstance(self.plan, Upsert)


@dataclass
class BulkAccount:
    """The outcomes of the documents of a bulk write so far."""

    ordered: bool
    failures: list[BulkEntry] = field(default_factory=list[BulkEntry])
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    is_given_up: bool = False
    documents: list[DocumentModel] = field(default_factory=list[DocumentModel])
    #: Whether objects were new whose earlier writes have turned out to have happened; by identity.
    settled: dict[int, bool] = field(default_factory=dict[int, bool])
    #: How often the upserts of objects were sent again, by position in the input.
    repeats: Counter[int] = field(default_factory=Counter[int])

    @property
    def is_stopped(self) -> bool:
        """True if nothing more may be sent."""
        return self.is_given_up or (self.ordered and bool(self.failures))

    def fail(self, step: Step, reason: str) -> None:
        """Enter a document that was not written, or whose outcome is unknown."""
        self.failures.append(BulkEntry(step.position, step.plan.id, reason))

    def written(self, step: Step) -> None:
        """Enter a document that was written."""
        self.documents.append(step.document)
        if isinstance(step.plan, Insertion):
            self.inserted += 1
        else:
            self.updated += 1

    def without_plan(self, document: DocumentModel) -> None:
        """Enter a document that needs no write, or no further one."""
        was_new = self.settled.get(id(document))
        if was_new is None:
            self.unchanged += 1
            return
        self.documents.append(document)
        self.inserted += was_new
        self.updated += not was_new

    def finish(self, model: type) -> PersistResult:
        """Return the counts.

        Raises:
            BulkError: Some documents were not written.
        """
        if not self.failures:
            return PersistResult(self.inserted, self.updated, self.unchanged)
        entries = sorted(self.failures, key=lambda entry: entry.index)
        first = entries[0]
        stopped = "; the documents after it were not sent" if self.is_stopped else ""
        raise BulkError(
            f"{len(entries)} of the {model.__name__} documents could not be written, "
            f"the first at index {first.index} (id {first.id!r}): {first.reason}{stopped}",
            entries=entries,
            inserted=self.inserted,
            updated=self.updated,
            hint="`entries` names each; the objects that were written are up to date",
        )


def _kind(step: Step) -> int:
    if step.is_upsert:
        return 3
    return 0 if step.is_insert else 2 if step.is_alone else 1


def check_documents(model: type[T], documents: Iterable[Any]) -> list[T]:
    """Return the documents of `persist_many` as a list.

    Raises:
        TypeError: One of them is not an object of the model, or belongs to another collection.
    """
    if isinstance(documents, str | bytes | dict) or not isinstance(documents, Iterable):
        raise TypeError(f"persist_many takes {model.__name__} objects, not {documents!r}")
    checked = list(documents)
    for index, document in enumerate(checked):
        if not isinstance(document, model):
            raise TypeError(
                f"persist_many of {model.__name__}: element {index} is a "
                f"{type(document).__name__}, not a {model.__name__}"
            )
        own = type(document)
        if own is not model and declared_namespace(own) != declared_namespace(model):
            raise TypeError(
                f"persist_many of {model.__name__}: element {index} is a "
                f"{type(document).__name__}, which has a collection of its own; "
                f"{type(document).__name__}.persist_many writes there"
            )
    return checked


def plan_steps(
    documents: Sequence[tuple[int, DocumentModel]],
    now: datetime,
    account: BulkAccount,
    plan_write: Planner = plan_persist,
) -> list[Step]:
    """Return the writes of documents.

    Parameters:
        documents: Objects with their positions in the input.
        now: The time of the operation.
        account: Gets the documents that cannot be encoded, or are unchanged.
        plan_write: Returns the write of an object; None if it is stored already.
    """
    steps: list[Step] = []
    for index, document in documents:
        try:
            plan = plan_write(document, now)
        except LoomError as error:
            account.failures.append(BulkEntry(index, document.id, str(error)))
            if account.ordered:
                break
            continue
        if plan is None:
            account.without_plan(document)
        else:
            steps.append(Step(index, document, plan))
    return steps


@dataclass
class Part:
    """Some of the documents of a bulk write, with their positions; `steps` are their writes."""

    documents: Sequence[tuple[int, DocumentModel]]
    steps: Sequence[Step] | None = None


def plan_in_slices(
    part: Part, now: datetime, account: BulkAccount, plan_write: Planner
) -> Generator[None]:
    """Plan the writes of a part, some hundred between two items of this iterator.

    The parameters are those of `plan_steps`.
    """
    steps: list[Step] = []
    with collector_paused():
        for start in range(0, len(part.documents), _SLICE):
            documents = part.documents[start : start + _SLICE]
            steps += plan_steps(documents, now, account, plan_write)
            yield
    part.steps = steps


def first_of_each(
    documents: Sequence[DocumentModel], account: BulkAccount
) -> list[tuple[int, DocumentModel]]:
    """Return the objects with their positions; an object that is given twice is written once."""
    seen: dict[int, tuple[int, DocumentModel]] = {}
    for index, document in enumerate(documents):
        seen.setdefault(id(document), (index, document))
    account.unchanged += len(documents) - len(seen)
    return list(seen.values())


def groups(steps: Sequence[Step], *, ordered: bool) -> Iterator[list[Step]]:
    """Yield the steps in groups of one kind; at most four groups unless the write is ordered."""
    kinds = [*map(_kind, steps)]
    if len(set(kinds)) == 1:
        yield list(steps)
        return
    pairs = list(zip(kinds, steps, strict=True))
    arranged = pairs if ordered else sorted(pairs, key=itemgetter(0))
    for _, group in groupby(arranged, key=itemgetter(0)):
        yield [step for _, step in group]
