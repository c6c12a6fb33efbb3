"""What stands between an organisation's network and the internet: a proxy that knows CONNECT, and hosts with certificates of the
organisation's own authority. Names end at the local server that is behind them, so that without the proxy nothing is reached.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Network(NamedTuple):
    """The proxy's address, what it was asked to connect to, and the file of the authority."""

    proxy: str
    asked: list[str]
    authority: Path


def certificates(folder: Path, names: list[str]) -> tuple[Path, Path]:
    """The files of an authority, and of a certificate with its key that it gave to these names."""
    now = dt.datetime.now(tz=dt.timezone.utc)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    subjects = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("Example Authority", names[0])]
    made = []
    for number, (key, subject) in enumerate(zip(keys, subjects, strict=True)):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subjects[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        )
        if number == 0:
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()))
    authority, host = folder / "authority.pem", folder / "host.pem"
    authority.write_bytes(made[0].public_bytes(serialization.Encoding.PEM))
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    host.write_bytes(made[1].public_bytes(serialization.Encoding.PEM) + private)
    return authority, host


@contextlib.contextmanager
def network(folder: Path, hosts: dict[str, int]) -> Iterator[Network]:
    """A network in which each of these names is a local server that speaks HTTP, behind TLS."""
    authority, certificate = certificates(folder, list(hosts))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked: list[str] = []
    with contextlib.ExitStack() as stack:
        doors = {name: stack.enter_context(_listening(_behind_tls(context, port))) for name, port in hosts.items()}

        def connect(client: socket.socket) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(4096)
                if not part:
                    return
                head += part
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            asked.append(f"{method} {target}")
            name = target.rpartition(":")[0]
            if method != "CONNECT" or name not in doors:
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", doors[name])) as beyond:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _relay(client, beyond)

        port = stack.enter_context(_listening(connect))
        yield Network(f"http://127.0.0.1:{port}", asked, authority)


def _behind_tls(context: ssl.SSLContext, port: int) -> Callable[[socket.socket], None]:
    def serve(client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(client, server_side=True) as inner,
            socket.create_connection(("127.0.0.1", port)) as beyond,
        ):
            _relay(inner, beyond)

    return serve


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on what each says until one of them is silent for ever."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join(5)


@contextlib.contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve every connection to a port in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def handle(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            serve(client)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
