"""What a Watch of health is told at the end, however late its thread looks."""

from types import SimpleNamespace
from typing import Any

import pytest
from grpc_health.v1 import health_pb2

from persona_server.errors import ServiceError
from persona_server.transport.health import Health

Answer = health_pb2.HealthCheckResponse


def test_who_watches_hears_that_nothing_is_served_before_the_end() -> None:
    health = Health()
    health.serving(True)
    context: Any = SimpleNamespace(add_callback=lambda _: True)
    answers = health._answers(True, context)
    assert Answer.FromString(next(answers)).status == Answer.SERVING
    health.end()
    health.close()  # before it has looked
    assert Answer.FromString(next(answers)).status == Answer.NOT_SERVING
    with pytest.raises(ServiceError) as ended:
        next(answers)
    assert ended.value.reason_name == "SHUTTING_DOWN"
