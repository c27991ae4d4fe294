"""`pitcall serve`: a supervisor over two processes, `pipeline` and `web`, which meet in the database only.

A process that ends by itself is started again, at first at once, then with growing waits. SIGTERM or SIGINT ends both in good order,
and kills what has not ended after some seconds. Each process holds the reading end of a pipe whose other end only the supervisor
has: should the supervisor die, however it dies, the pipe closes and the process stops too. So there is never an orphan.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from app.logs import set_up_logs
from app.settings_file import ServiceSettings
from domain.errors import InputError, PitcallError

log = logging.getLogger(__name__)

ROLES = ("pipeline", "web")
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0
STEADY_AFTER_S = 60.0
"""A process that has run so long is started again at once when it ends."""
GRACE_S = 8.0
"""What has not ended so long after it was asked to is killed."""
LOOK_EVERY_S = 0.1


@dataclass(slots=True, kw_only=True)
class Child:
    """One supervised process: how often it ended early in a row, and when it is to be started again."""

    role: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    failures: int = 0
    due_s: float = 0.0


def supervise(
    commands: Mapping[str, Sequence[str]],
    stop: threading.Event,
    *,
    hangup: threading.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Keep these processes running until `stop` is set; gives 0 where all ended in good order, 1 where one had to be killed.

    Whenever `hangup` is set, the pipeline gets SIGHUP: it reads its rules again.
    """
    children = [Child(role=role, command=command) for role, command in commands.items()]
    try:
        while not stop.wait(LOOK_EVERY_S):
            for child in children:
                _look_after(child, clock())
                if hangup is not None and hangup.is_set() and child.role == "pipeline" and child.process is not None:
                    hangup.clear()
                    child.process.send_signal(signal.SIGHUP)
    finally:
        killed = _end(children)
    return 1 if killed else 0


def backoff_s(failures: int) -> float:
    """How long to wait before a process is started again that has ended early so many times in a row."""
    return 0.0 if failures == 0 else min(FIRST_BACKOFF_S * 2.0 ** min(failures - 1, 30), LONGEST_BACKOFF_S)


def _look_after(child: Child, now_s: float) -> None:
    if child.process is not None:
        status = child.process.poll()
        if status is None:
            return
        steady = now_s - child.started_s >= STEADY_AFTER_S
        child.failures = 0 if steady else child.failures + 1
        wait_s = backoff_s(child.failures)
        fields = {"role": child.role, "pid": child.process.pid, "status": status, "again_in_s": wait_s}
        log.error("a process has ended by itself", extra={"fields": fields})
        _close(child.process)
        child.process, child.due_s = None, now_s + wait_s
    if now_s >= child.due_s:
        child.process, child.started_s = _start(child.command), now_s
        log.info("process started", extra={"fields": {"role": child.role, "pid": child.process.pid}})


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # a session of its own: Ctrl-C in the terminal is ours, and the processes are ended in good order
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - our own program


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _end(children: Sequence[Child]) -> int:
    """Ask all, then wait, then kill; gives how many had to be killed."""
    running = [child for child in children if child.process is not None and child.process.poll() is None]
    for child in running:
        if child.process is not None:
            child.process.terminate()
    deadline = time.monotonic() + GRACE_S
    killed = 0
    for child in running:
        assert child.process is not None
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            killed += 1
            log.warning("a process did not end and is killed", extra={"fields": {"role": child.role, "pid": child.process.pid}})
            child.process.kill()
            child.process.wait()
        _close(child.process)
    return killed


def serve(settings: ServiceSettings, config: Path | None) -> int:
    """Check what can be checked at once, then supervise until SIGTERM or SIGINT; gives the exit status.

    Raises:
        InputError: a setting cannot be used. StorageError: the database cannot be opened.
    """
    set_up_logs("serve", settings.log.level)
    check(settings)
    stop = stop_on_signals()
    options = ["--config", str(config)] if config else []
    commands = {role: (sys.executable, "-m", "app.cli", "serve", "--only", role, "--supervised", *options) for role in ROLES}
    status = supervise(commands, stop, hangup=_hangups())
    log.info("stopped")
    return status


def check(settings: ServiceSettings) -> None:
    """Open the database (which brings it up to date), and look at the broker's address and the web port.

    Raises:
        InputError, StorageError: with what to do.
    """
    from app.routing import service_levels_of
    from notifier.dealers.routing_policy import SHIPPED, load_routing_policy
    from storage.database import open_store

    settings.mqtt.ssl_context()
    load_routing_policy(settings.dispatch.policy or SHIPPED)
    service_levels_of(settings)
    try:
        settings.data.folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise InputError(
            f"the data folder cannot be made ({problem.strerror})", file=settings.data.folder, mend="set data.folder"
        ) from problem
    open_store(settings.database_url, key=settings.common.pseudonym_key).close()
    if settings.common.key_is_development:
        log.warning("privacy.pseudonym_key is not set: the documented development key is used, which is not for real vehicles")
    try:
        family = socket.getaddrinfo(settings.web.host, settings.web.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family[0], family[1]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(family[4])
    except OSError as problem:
        what = f"web address {settings.web.host}:{settings.web.port} cannot be used ({problem.strerror})"
        raise InputError(what, mend="set web.host and web.port (PITCALL_WEB_PORT)") from problem


def run_role(role: str, settings: ServiceSettings, *, supervised: bool) -> int:
    """Be one of the two processes until told to stop; gives the exit status."""
    set_up_logs(role, settings.log.level)
    stop = stop_on_signals()
    if supervised:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the pipeline knows what to do with it
        _stop_with_supervisor(stop)
    try:
        settings.data.folder.mkdir(parents=True, exist_ok=True)
        if role == "pipeline":
            from app.pipeline_process import run_pipeline

            run_pipeline(settings, stop)
        else:
            from app.web_process import run_web

            run_web(settings, stop)
    except PitcallError as problem:
        log.error("%s", problem)  # noqa: TRY400 - said in one line that names the mend
        return 2 if isinstance(problem, InputError) else 1
    except Exception:
        log.exception("an unexpected error")
        return 1
    return 0


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop


def _hangups() -> threading.Event:
    """An event that SIGHUP sets, except at a terminal: closing that ends the service as ever."""
    event = threading.Event()
    if not sys.stdin.isatty():
        signal.signal(signal.SIGHUP, lambda _signal, _frame: event.set())
    return event


def _stop_with_supervisor(stop: threading.Event) -> None:
    """Stop when the supervisor's end of our standard input closes, and leave for good where that takes too long."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        stop.set()
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=watch, name="supervisor", daemon=True).start()
