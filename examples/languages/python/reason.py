"""Reads a persona that does not exist, with nothing but the protos, and prints why that failed."""

import os
import sys

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from persona.v1.persona_service_pb2 import GetPersonaRequest
from persona.v1.persona_service_pb2_grpc import PersonaServiceStub


def reason_of(error: grpc.RpcError) -> str | None:
    """Return the reason of an error of the service, such as "PERSONA_NOT_FOUND"."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # every error is a call too
    info = ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return str(info.reason)
    return None


def main() -> None:
    """Read the persona that the arguments name."""
    project, group, persona = sys.argv[1:]
    request = GetPersonaRequest(project_id=project, group_id=group, persona_id=persona)
    headers = (("authorization", f"Bearer {os.environ['PERSONA_TOKEN']}"),)
    with grpc.insecure_channel(os.environ["PERSONA_ADDRESS"]) as channel:
        try:
            PersonaServiceStub(channel).GetPersona(request, metadata=headers, timeout=10)
            print("found")
        except grpc.RpcError as error:
            print(reason_of(error))


main()
