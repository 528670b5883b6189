"""What gRPC's core is told: limits of messages, metadata, connections and their silence."""

import resource

MOST_CONNECTIONS = 10_000
_OTHER_FILES = 200  # that the database, the log, the gateway and the metrics may have open

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 4 << 20),
    # A message that comes compressed is unpacked where its caller pays for that, see unpack().
    ("grpc.per_message_decompression", 0),
    # More wait at the client. Those that it may open beyond it, before it has read this, are
    # answered too: core would else refuse what its answers are still on their way for.
    ("grpc.max_concurrent_streams", 100),
    ("grpc.http.overload_protection", 0),
    # Calls that core keeps for grpcio, which asks for one at a time. Those that were taken back
    # count too, and what finds no room is cancelled, whoever made it.
    ("grpc.server.max_pending_requests", 3_000),
    ("grpc.server.max_pending_requests_hard_limit", 4_000),
    # What a call may send before it is received. Core's estimate of the bandwidth would let it
    # grow to megabytes a call, for whoever sends fast.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 65_536),
    # What is read of a connection at once, so that one which is closed is not worked on for long.
    ("grpc.experimental.tcp_max_read_chunk_size", 65_536),
    # How many calls core takes of a connection before it comes to the next: of a storm by many
    # connections it shows some of each soon, and others' calls are not behind all of them.
    ("grpc.http2.max_requests_per_read", 8),
    ("grpc.max_metadata_size", 12_288),
    ("grpc.absolute_max_metadata_size", 16_384),
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.keepalive_time_ms", 60_000),
    # How long its machine may keep silent. A program that only doesn't answer has the minute of
    # core's ping timeout: its answer may have to wait behind what a slow line brings.
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),  # those without calls are pinged too
    # A client may ping as often as it likes: to answer costs less than to close its connection, as
    # core else does with the third within a time, and to take the one that it makes instead.
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.max_connection_age_ms", 1_800_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.max_connection_idle_ms", 600_000),
)


def connections() -> int:
    """Return how many connections are taken: fewer than files may be open, or none has its own."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        files = MOST_CONNECTIONS + _OTHER_FILES
    return max(min(files - _OTHER_FILES, MOST_CONNECTIONS), files // 4)
