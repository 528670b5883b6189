"""What can be seen of a server: its health, its pools, and what messages and answers take."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry

from persona_server.telemetry.gauges import Gauge
from persona_server.transport.entrance.answers import Answers
from persona_server.transport.health import Health
from persona_server.transport.pools import Pools


def serving(is_serving: Callable[[], bool]) -> Gauge:
    """Return the figure by which a server, or one of several workers, says that it serves."""
    what = "Whether health says SERVING, 1 or 0; of workers how many do."
    return Gauge("persona_serving", what, is_serving)


def watch_entrance(
    registry: CollectorRegistry, health: Health, pools: Pools, answers: Answers
) -> None:
    """Let a registry show how a server is, and how busy."""
    threads = "Threads of a pool, which serve calls."
    busy = "Threads of a pool that serve a call now."
    waiting = "Calls that wait for a thread of a pool."

    def of_pools(place: int) -> dict[str, float]:
        return {name: load[place] for name, load in pools.load().items()}

    for gauge in (
        serving(lambda: health.is_serving),
        Gauge("persona_pool_threads", threads, lambda: of_pools(0), "pool"),
        Gauge("persona_pool_busy", busy, lambda: of_pools(1), "pool"),
        Gauge("persona_pool_waiting", waiting, lambda: of_pools(2), "pool"),
        Gauge(
            "persona_messages_bytes",
            "Bytes that messages take which come in or are worked on.",
            lambda: pools.messages[0],
        ),
        Gauge(
            "persona_messages_waiting",
            "Calls that wait for room for their message.",
            lambda: pools.messages[1],
        ),
        Gauge(
            "persona_answers_bytes",
            "Bytes of answers that nobody has taken yet.",
            lambda: answers.bytes,
        ),
        Gauge(
            "persona_answers_waiting",
            "Calls that wait until answers before theirs are read.",
            lambda: answers.waiting,
        ),
    ):
        registry.register(gauge)
