"""Show the metrics of ``operate.families`` to Prometheus.

Counters and gauges are read from those who keep them, at the moment of a
scrape: counting costs the hot path nothing that it would not do anyway. Only
what is a distribution is observed when it happens.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from beats_signer.operate.families import FAMILIES, Family, Kind

__all__ = ["Metrics", "Samples"]

Samples = Mapping[str, Mapping[tuple[str, ...], float]]
"""Values by the name of their family, then by the values of its labels."""

_BY_NAME = {family.name: family for family in FAMILIES}


class Metrics:
    """All metrics of one process, on a registry of their own."""

    def __init__(
        self, registry: CollectorRegistry, read: Callable[[], Samples]
    ) -> None:
        """Register everything; *read* is asked for the samples at each scrape."""
        self._registry = registry
        # When each series began, the start of the process says for all of them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        registry.register(_Reading(read))
        self._histograms = {
            family.name: Histogram(
                family.name, family.help, buckets=family.buckets, registry=registry
            )
            for family in FAMILIES
            if family.kind is Kind.HISTOGRAM
        }

    def histogram(self, name: str) -> Histogram:
        """Return the histogram of this name; it counts what it observes."""
        return self._histograms[name]

    def page(self) -> bytes:
        """Return what a scrape gets: the text format, UTF-8."""
        return generate_latest(self._registry)


class _Reading(Collector):
    """Reads samples when it is scraped."""

    def __init__(self, read: Callable[[], Samples]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield all families but the histograms, also those without a sample."""
        samples = self._read()
        unknown = samples.keys() - _BY_NAME.keys()
        if unknown:
            raise RuntimeError(f"metric {min(unknown)} is not declared")
        for family in FAMILIES:
            if family.kind is not Kind.HISTOGRAM:
                yield _fill(family, samples.get(family.name, {}))

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples: the registry asks for the names."""
        for family in FAMILIES:
            if family.kind is not Kind.HISTOGRAM:
                yield _fill(family, {})


def _fill(family: Family, samples: Mapping[tuple[str, ...], float]) -> Metric:
    build = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = build(family.name, family.help, labels=family.labels)
    for labels, value in samples.items():
        metric.add_metric(labels, value)
    return metric
