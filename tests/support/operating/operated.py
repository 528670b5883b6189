"""What an operator says to the `persona` command beside a service."""

import subprocess

from support.service import PERSONA, Service, naming


def operate(service: Service, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command on the database of a service."""
    command = [str(PERSONA), *words, *naming(service.data)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def said(service: Service, *words: str) -> str:
    """Run a command that must succeed; return what it prints on standard output."""
    done = operate(service, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def new_key(service: Service, tenant: str, *words: str) -> str:
    """Make an API key of a tenant, of role writer unless told otherwise; return its text."""
    words = words or ("--role", "writer")
    return said(service, "keys", "create", "--tenant", tenant, "--name", "nightly", *words)


def id_of(key: str) -> str:
    """Return the id of an API key."""
    return key.split("_")[2]
