"""TLS of the gRPC port. How long a handshake may take is in options.py."""

import grpc

from persona_server.process.certificates import Certificates, Material


def credentials_of(certificates: Certificates, gateway: bytes) -> grpc.ServerCredentials:
    """Return credentials that ask for the files' content at every handshake.

    `gateway` is the certificate of the server's own gateway, PEM, which is let in beside those that
    the files name. Core takes TLS 1.2 and 1.3, and nobody who does not ask for HTTP/2.
    """

    def configuration(material: Material) -> grpc.ServerCertificateConfiguration:
        trusted = material.client_ca + b"\n" + gateway if certificates.wants_client else None
        return grpc.ssl_server_certificate_configuration(
            [(material.key, material.cert)], root_certificates=trusted
        )

    last = certificates.current()

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal last
        found = certificates.current()
        if found is last:
            return None  # the configuration is as core has it
        last = found
        return configuration(found)

    credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
        configuration(last),
        changed,  # type: ignore[arg-type]  # None is said in its documentation, not in its types
        require_client_authentication=certificates.wants_client,
    )
    return credentials
