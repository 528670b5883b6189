"""How a service says it is: by gRPC's health, and by its metrics."""

import urllib.request
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.service import Service


def status_at(address: str) -> int:
    """Return what the health of all says at an address, over a connection of its own."""
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=10)
        return int(answer.status)


def is_serving(service: Service) -> bool:
    """Return whether the service says SERVING."""
    return status_at(service.grpc) == health_pb2.HealthCheckResponse.SERVING


def metric(service: Service, name: str) -> float:
    """Return the value of a metric, 0 where there is none of this name and these labels."""
    with urllib.request.urlopen(service.metrics, timeout=10) as page:
        lines = page.read().decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)
