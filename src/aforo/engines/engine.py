"""What every engine does; the values that it takes and gives stand in the files beside this one.

The protocol is commit-shaped: an append gives a commit number, a fold reads as of a commit and hands
its rows back to be written, and nothing needs a lock between the two. There is no way to read
without naming a tenant; the few verbs that look across tenants are the operator's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aforo.engines.appends import Append, Commit
from aforo.engines.behind import Behind, BehindRequest
from aforo.engines.builds import Build, Built, Held, Marked
from aforo.engines.drifted import DaysChecked, KeptDays, Returned
from aforo.engines.folds import Claim, Derived, Folded
from aforo.engines.keeping import Erased, ErasureAsked, Forgotten, PurgeAsked, Purged, Seal
from aforo.engines.reads import Paths, PathsRequest, Seen, Standing, States, StatesRequest
from aforo.engines.refused import KeptSample, SamplesAsked
from aforo.engines.statistics import Statistics, Storage
from aforo.model.model import Model
from aforo.model.tenant import Tenant
from aforo.windows import Window, Zone


class Engine(Protocol):
    """The verbs; every one may be called from any thread."""

    @property
    def name(self) -> str:
        """Which engine this is, as settings and statistics call it."""
        ...

    def apply_model(self, model: Model, default_tenant: Tenant) -> None:
        """Makes room for the model's streams, rollups and tenants, in one transaction.

        A rollup that is new or means something else is built aside from the events; until it is whole an
        earlier one of its name serves on. Tenants that only
        events name are given `default_tenant`'s zone and week start.
        Raises `ModelConflict` where kept events or rollups would come to mean something else.
        """
        ...

    def append(self, append: Append) -> Commit:
        """Keeps events not seen before, their ledger rows and all counts; durable when it returns."""
        ...

    def derive(self, max_rows: int) -> Derived | None:
        """Brings derived streams up to the newest changed days of their sources; None where nothing waits.

        It takes about so many changed events at once, and marks the slots whose derived events changed.
        """
        ...

    def claim(self, max_rows: int) -> Claim | None:
        """Dirty slots of one stream, about `max_rows` events but one slot at least; None where none is left.

        They are held by a lease: nobody else is given them until they are replaced or released, or it ends.
        Streams take turns. Slots that are still filling come first, then those of tenants for whom little
        waits, then one tenant's backlog after the other; of each tenant the newest.
        """
        ...

    def release(self, claim: Claim) -> None:
        """Gives a claim back that will not be replaced: its slots may be claimed at once."""
        ...

    def fold(self, claim: Claim) -> Folded:
        """Computes the rollup rows of a claim's slots and days from one snapshot; writes nothing."""
        ...

    def replace(self, folded: Folded, *, rows_at_once: int | None = None) -> None:
        """Writes what a fold computed, raises its days' revisions, and removes the marks it answered.

        The claim is released with it. Raises `ClaimLost` and changes nothing where its lease has ended.
        A day that another fold has written in between is left out: what was read of it is old, and its marks
        wait to be claimed again. With `rows_at_once` a transaction writes about so many rows, but whole days,
        and renews the lease.
        """
        ...

    def build_periods(self, now: int) -> int:
        """Puts together the newest finished weeks and months that are not kept, or not as their days now are.

        Gives how many, bounded in rows; 0 where nothing is left. What waits for a fold is left for later.
        """
        ...

    def read_states(self, request: StatesRequest, *, time_limit_seconds: float) -> States:
        """Merges the asked states of one tenant from one snapshot.

        Raises `TimeLimit`, `RollupReplaced` where another rollup serves in the place of the asked one, and
        `QuestionTooLarge` where more keys are found than are wanted, before sets and histograms are read.
        """
        ...

    def read_paths(self, request: PathsRequest, *, time_limit_seconds: float) -> Paths:
        """The raw events of one tenant that are steps, from one snapshot. Raises `TimeLimit`."""
        ...

    def read_behind(self, request: BehindRequest, *, time_limit_seconds: float) -> Behind:
        """What one tenant's number is made of, from one snapshot: events and folds. Raises `TimeLimit`.

        The stream is one that keeps events: the ledger's counts are all there is of them.
        """
        ...

    def standing(self, stream: str, tenant: str, window: Window) -> Standing:
        """What of a window is folded, as of now."""
        ...

    def writes(self) -> int:
        """How often what is kept was changed since the engine was opened, but for what commits number.

        It is raised before whoever changed something is told that it is done.
        """
        ...

    def estimate_raw(self, stream: str, tenant: str, window: Window) -> int:
        """How many events a raw question over the window would read."""
        ...

    def event_bytes(self, stream: str, tenant: str, window: Window, fields: Collection[str]) -> float:
        """About how many bytes such an event has in its tenant, its time and these fields, uncompressed.

        Texts are as long as those of some of the window's events are.
        """
        ...

    def extent(self, stream: str, tenant: str) -> Window | None:
        """From the first kept event's slot to the end of the last one's; None where there are none."""
        ...

    def tenants_of(self, stream: str) -> tuple[str, ...]:
        """Everyone who has events of a stream: for the operator."""
        ...

    def build(self, max_rows: int) -> Built | None:
        """Builds the newest slots that a rollup which does not serve yet lacks; None where none lacks any.

        With the last it takes the place of the earlier one of its name, in the same transaction.
        """
        ...

    def builds(self, stream: str | None = None) -> tuple[Build, ...]:
        """What is being built, of a stream or of all; asking is cheap where nothing is."""
        ...

    def held(self, stream: str, tenant: str, window: Window) -> Held:
        """What of a window of whole slots could be folded again."""
        ...

    def mark(self, stream: str, tenant: str, window: Window, most_events: int) -> Marked | None:
        """Marks the newest slots of a window to be folded again, at least one; None where there are none."""
        ...

    def answered(self, stream: str, tenant: str, window: Window, commit: int) -> bool:
        """Whether all that was marked in a window as of a commit or before has been folded."""
        ...

    def tenant(self, name: str) -> Tenant | None:
        """A tenant that the model or an event has named; kept at hand, so that asking is cheap."""
        ...

    def zone(self, tenant: str) -> Zone:
        """A tenant's zone and week start; the default's where nobody has named the tenant."""
        ...

    def days_wait(self, stream: str, tenant: str) -> bool:
        """Whether days are being made anew for another zone; until then only slots and events are right."""
        ...

    def seal(self, stream: str, tenant: str) -> Seal:
        """How far back a stream is kept for a tenant; kept at hand.

        It moves before anything is deleted: who finds it unmoved after reading has read all that it tells of.
        """
        ...

    def births(self, stream: str, tenant: str) -> Mapping[str, Mapping[str, int]]:
        """From when on rollups keep measures, where that is a seal: by rollup and measure; kept at hand."""
        ...

    def purgeable(self, stream: str, before: int) -> tuple[str, ...]:
        """The tenants that have events, or slots of rollups, before an instant: for the operator."""
        ...

    def purge(self, asked: PurgeAsked) -> Purged:
        """Deletes whole folded days of the tenant, oldest first, and seals them in one transaction."""
        ...

    def forget(self, most_values: int) -> Forgotten | None:
        """Looks at values of one entity whose events were deleted; None where there are none to look at.

        Of those that no event has any more a hash is kept, by which who comes back has the same number;
        those that no rollup's set holds either go, and their numbers are given to nobody else.
        """
        ...

    def seen(self, tenant: str, entity: str, value: str) -> Seen | None:
        """When a value was seen first and last; None where nothing that is kept has it."""
        ...

    def unname(self, asked: ErasureAsked) -> None:
        """Takes the value's number away, which whoever comes with it later does not get again.

        The value goes from the dictionary, from refused events and from the splits of rollups; its events
        stay until they are erased. Doing it again under the same id changes nothing.
        """
        ...

    def erase(self, erasure: str, tenant: str, most_rows: int) -> Erased:
        """Deletes events of what an erasure unnamed, and marks their slots to be folded from what is left.

        Sealed rollups keep their counts, and the number without a name.
        """
        ...

    def waits(self, tenant: str, entity: str, commit: int) -> bool:
        """Whether slots of an entity's streams still wait for a fold that were marked up to a commit."""
        ...

    def untimed_ids(self, stream: str, tenant: str, since: int) -> tuple[str, ...]:
        """The ids of a tenant's events that came without a time, from an arrival on."""
        ...

    def waiting_commits(self) -> tuple[int, Mapping[str, int]]:
        """The last commit whose events may be folded, and of each stream the first that a mark waits of."""
        ...

    def dirty_slots(self) -> int:
        """How many slots of all tenants wait for a fold."""
        ...

    def tidy(self, *, loose_share: float) -> int | None:
        """Moves some events, so that they lie in order of time again; how many. Nobody sees a difference.

        None where fewer than `loose_share` of each stream's blocks overlap others in time, or where events
        come too fast.
        """
        ...

    def storage(self) -> Storage:
        """What the file holds, and how much of it lies out of order: for the operator."""
        ...

    def statistics(self) -> Statistics:
        """Counts and sizes across tenants, for the operator."""
        ...

    def refused(self, asked: SamplesAsked) -> tuple[KeptSample, ...]:
        """The newest refused events, newest first, across tenants unless one is named: for the operator."""
        ...

    def kept_days(self) -> tuple[KeptDays, ...]:
        """Which days of which stream and tenant there is anything of, across tenants: for the operator."""
        ...

    def check_days(self, stream: str, tenant: str, days: Sequence[int]) -> DaysChecked:
        """Holds the rollups of some days, given by their starts, against the events, as of one moment."""
        ...

    def returned_ids(self, stream: str, tenant: str, days: Sequence[int] | None, *, limit: int) -> Returned:
        """The ids that stand under more than one time: all, or those of some days' events."""
        ...

    def mark_slots(self, stream: str, tenant: str, slots: npt.NDArray[np.int64]) -> None:
        """Marks slots to be folded again from their events; durable when it returns."""
        ...

    def close(self) -> None:
        """Lets running reads end, writes what is in the log into the file, and lets go of it."""
        ...
