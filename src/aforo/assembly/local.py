"""The command line's verbs over a data directory that this process holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from aforo.assembly.build import Aforo
from aforo.assembly.loading import Loaded, Progress, load
from aforo.assembly.memory import give_back
from aforo.assembly.order import LoadOrder
from aforo.clock import Clock
from aforo.engines.folds import Folded
from aforo.events.identity import Occurrences
from aforo.events.readers import Chunk
from aforo.questions.asked import decode
from aforo.questions.formats import WRITERS
from aforo.questions.funnel import funnel
from aforo.questions.funnel_asked import decode as decode_funnel
from aforo.questions.retention import retention
from aforo.questions.retention_asked import decode as decode_retention
from aforo.settings import Settings


class Local:
    """Opens the data directory and takes events; folds only when told to."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.aforo = Aforo(settings, clock)
        self.aforo.start_taking()

    def ask(self, question: Mapping[str, object]) -> dict[str, object]:
        return self.aforo.desk.ask(decode(question)).as_json()

    def ask_as(self, question: Mapping[str, object], kind: str) -> bytes:
        return WRITERS[kind](self.aforo.desk.ask(decode(question)))

    def retention(self, question: Mapping[str, object]) -> dict[str, object]:
        return retention(self.aforo.desk, decode_retention(question)).as_json()

    def funnel(self, question: Mapping[str, object]) -> dict[str, object]:
        return funnel(self.aforo.desk, decode_funnel(question)).as_json()

    def ask_explained(self, question: Mapping[str, object]) -> dict[str, object]:
        from aforo.http.explained_query import explained_json  # see `explain`

        return explained_json(self.aforo.desk, question)

    def explain(self, metric: str, asked: Mapping[str, str]) -> dict[str, object]:
        from aforo.http.explain import explain_json  # see the package: only who asks for it waits for HTTP

        return explain_json(self.aforo.desk, metric, asked)

    def load(self, chunks: Iterable[Chunk], order: LoadOrder, progress: Progress) -> Loaded:
        occurrences = Occurrences()
        return load(
            chunks,
            order,
            self.aforo.model,
            lambda draft, refusals, size: self.aforo.intake.take_draft(
                draft, tenant=order.tenant, occurrences=occurrences, refusals=refusals, size=size
            ),
            progress,
            rows_in_flight=self.aforo.settings.intake.queue_rows,
        )

    def fold(self, progress: Callable[[int], None]) -> dict[str, object]:
        started = self.aforo.clock.monotonic()

        def tell(folded: Folded) -> None:
            progress(len(folded.claim.slots))

        slots = self.aforo.folder.run_until_clean(tell)
        self.aforo.folder.build_until_whole()
        self.aforo.periods.run_until_kept()
        give_back()
        return {"slots": slots, "tookMs": round((self.aforo.clock.monotonic() - started) * 1000, 3)}

    def drift(self, sample_days: int | None, progress: Callable[[int, int], None]) -> dict[str, object]:
        from aforo.http.drift import drift_json

        return drift_json(self.aforo.drift.run_once(sample_days, progress))

    def models(self) -> dict[str, object]:
        from aforo.http.models import models_json

        return models_json(self.aforo.model)

    def seen(self, asked: Mapping[str, object]) -> dict[str, object]:
        from aforo.http import reply, seen
        from aforo.http.value_asked import decode

        return reply.plain(seen.shown(self.aforo.engine, self.aforo.model, decode(asked)))

    def refusals(self, asked: Mapping[str, str]) -> dict[str, object]:
        from aforo.http.refusals import refusals_json

        return refusals_json(self.aforo.engine, self.aforo.model, asked)

    def doctor(self) -> dict[str, object]:
        from aforo.http.doctor import doctor_json
        from aforo.store.connect import Store

        aforo = self.aforo
        store = Store(aforo.settings.data, aforo.settings.store)
        try:
            return doctor_json(aforo.engine.statistics(), store, aforo.model, aforo.lag.lags())
        finally:
            store.close()

    def plan_backfill(self, asked: Mapping[str, object]) -> dict[str, object]:
        from aforo.assembly import backfilling

        return backfilling.planned(self.aforo, asked)

    def run_backfill(
        self, asked: Mapping[str, object], progress: Callable[[float], None]
    ) -> dict[str, object]:
        from aforo.assembly import backfilling

        return backfilling.run(self.aforo, asked, progress)

    def resume_backfill(self, backfill_id: str, progress: Callable[[float], None]) -> dict[str, object]:
        from aforo.assembly import backfilling

        return backfilling.resumed(self.aforo, backfill_id, progress)

    def cache(self) -> dict[str, object]:
        from aforo.http import cache, reply

        return reply.plain(cache.shown(self.aforo.cache))

    def clear_cache(self, tag: str | None) -> dict[str, object]:
        from aforo.http import cache, reply

        return reply.plain(cache.ClearedReply(cleared=self.aforo.cache.clear(tag)))

    def erase(self, asked: Mapping[str, object]) -> dict[str, object]:
        from aforo.assembly import erasing

        return erasing.erased(self.aforo, asked)

    def close(self) -> None:
        self.aforo.stop()
