"""A real Chromium without a screen, driven by its own protocol (CDP) over two pipes."""

import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    "--no-proxy-server",
)
ABOVE_3_AND_4 = 10
SECONDS = 60.0  # that it may be silent while something is waited for


def program() -> str | None:
    """Return the path of a Chromium, or None if `make setup-dev` could not get one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class BrowserError(Exception):
    """The browser refused a command, or a script of ours threw."""


class Browser:
    """A browser process with a profile of its own."""

    def __init__(self, chromium: str, profile: Path, *more: str) -> None:
        commands, ours = (_high(fd) for fd in os.pipe())
        theirs, events = (_high(fd) for fd in os.pipe())
        # It reads commands from descriptor 3, and writes what happens to 4.
        script = f'exec "$@" 3<&{commands} 4>&{events}'
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        flags = [*FLAGS, *more, *sandbox, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", chromium, *flags, "about:blank"],
            pass_fds=(commands, events),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(events)
        self._commands, self._events = open(ours, "wb"), open(theirs, "rb")  # noqa: PTH123, SIM115
        self._sent = 0
        self._rest = b""
        self.happened: list[dict[str, Any]] = []  # events that nobody has waited for

    def open(self, url: str) -> "Page":
        """Open a page and wait until it is loaded."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        page = Page(self, attached["sessionId"])
        page.go(url)
        return page

    def command(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command and return its result. Raises BrowserError."""
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (answer := self._next()).get("id") != self._sent:
            self.happened.append(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, method: str, session: str) -> dict[str, Any]:
        """Return what is said of the next event of this kind."""
        while True:
            for event in self.happened:
                if (event["method"], event.get("sessionId")) == (method, session):
                    self.happened.remove(event)
                    params: dict[str, Any] = event["params"]
                    return params
            self.happened.append(self._next())

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._events], [], [], SECONDS)[0]:
                raise BrowserError(f"the browser has said nothing for {SECONDS:.0f} s")
            more = os.read(self._events.fileno(), 1 << 16)
            if not more:
                raise BrowserError("the browser has ended")
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    def close(self) -> None:
        """End it."""
        try:
            self.command("Browser.close")
            self._process.wait(10)
        except (BrowserError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
        self._process.wait()
        self._commands.close()
        self._events.close()


class Page:
    """One page, in a tab of its own."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command for this page."""
        return self._browser.command(method, self._session, **params)

    def go(self, url: str) -> None:
        """Load another address."""
        if failed := self.command("Page.navigate", url=url).get("errorText"):
            raise BrowserError(f"{url}: {failed}")
        self._browser.wait_for("Page.loadEventFired", self._session)

    def narrow(self, width: int) -> None:
        """Have a screen of so many pixels, as a telephone has."""
        size = {"width": width, "height": 2 * width, "deviceScaleFactor": 1, "mobile": True}
        self.command("Emulation.setDeviceMetricsOverride", **size)

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited if it is a promise. Raises BrowserError."""
        done = self.command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if thrown := done.get("exceptionDetails"):
            raise BrowserError(thrown["exception"].get("description", thrown["text"]))
        return done["result"].get("value")

    def said(self, method: str) -> list[dict[str, Any]]:
        """Return what was said with all events of this kind."""
        self.run("0")  # what was said before has come when this is answered
        wanted = (method, self._session)
        happened = self._browser.happened
        return [e["params"] for e in happened if (e["method"], e.get("sessionId")) == wanted]

    def complaints(self) -> list[str]:
        """Return what the browser has complained of: breaches of policies, errors, exceptions."""
        entries = [said["entry"]["text"] for said in self.said("Log.entryAdded")]
        thrown = [said["exceptionDetails"] for said in self.said("Runtime.exceptionThrown")]
        return entries + [details["text"] for details in thrown]


@contextmanager
def running_browser(profile: Path, *flags: str) -> Iterator[Browser]:
    """Run a browser for a block, with flags of its own. One must be on the machine."""
    chromium = program()
    assert chromium is not None
    browser = Browser(chromium, profile, *flags)
    try:
        yield browser
    finally:
        browser.close()


def _high(fd: int) -> int:
    """Return a descriptor for the same that is not in the way of 3 and 4."""
    other = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ABOVE_3_AND_4)
    os.close(fd)
    return other
