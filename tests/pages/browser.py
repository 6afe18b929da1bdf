"""A headless Chromium, driven through ChromeDriver with nothing but the standard library."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def installed() -> bool:
    """Whether there is a browser to test with."""
    return shutil.which("chromedriver") is not None and any(map(shutil.which, ("chromium", "google-chrome", "chrome")))


class Browser:
    """One session.

    Args:
        address: of the driver.
        session: its id.
    """

    def __init__(self, address: str, session: str) -> None:
        self._base = f"{address}/session/{session}"

    def open(self, page: Path) -> None:
        self._call("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """What a piece of JavaScript returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def press(self, element: str, keys: str) -> None:
        """Type into the element of a selector."""
        found = self._call("POST", "/element", {"using": "css selector", "value": element})
        self._call("POST", f"/element/{next(iter(found.values()))}/value", {"text": keys})

    def complaints(self) -> list[str]:
        """What stands in the console."""
        return [f"{each['level']}: {each['message']}" for each in self._call("POST", "/se/log", {"type": "browser"})]

    def size(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})

    def dark(self, on: bool) -> None:
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self._call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}})

    def paper(self) -> None:
        """Show the page as it is printed."""
        self._call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"media": "print"}})

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self._call("POST", "/print", {"background": True}))

    def picture(self) -> bytes:
        return base64.b64decode(self._call("GET", "/screenshot"))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return _request(self._base + path, method, body)


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, gone at the end."""
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert driver.stdout is not None
        port = next(line.rstrip(".\n").split()[-1] for line in driver.stdout if "successfully on port" in line)
        address = f"http://127.0.0.1:{port}"
        options = {"args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = _request(f"{address}/session", "POST", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        try:
            yield Browser(address, session)
        finally:
            _request(f"{address}/session/{session}", "DELETE", None)
    finally:
        driver.terminate()
        driver.wait(10)
        driver.stdout.close()


def _request(address: str, method: str, body: dict[str, Any] | None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    for patience in (1, 2, None):
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.loads(reply.read())["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()[:500]) from error
        except urllib.error.URLError:
            if patience is None:
                raise
            time.sleep(patience)
    return None
