#!/usr/bin/env python3
"""TCP for the tests of tunnels.

  tcp_peer.py serve            prints a port; echoes what comes until its end, for any number of connections
  tcp_peer.py reset            prints a port; resets each connection after its first byte
  tcp_peer.py slow             prints a port; reads nothing until a byte comes on standard input, then counts
  tcp_peer.py load PORT N SIZE N connections at once, each sends SIZE random bytes, ends its side, and compares the echo
  tcp_peer.py ask PORT         one connection; prints "refused" when it is reset or closed without a byte
"""
import os
import socket
import struct
import sys
import threading


def listen():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(64)
    print(s.getsockname()[1], flush=True)
    return s


def echo(c):
    with c:
        while data := c.recv(65536):
            c.sendall(data)
        c.shutdown(socket.SHUT_WR)


def serve():
    s = listen()
    while True:
        threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()


def reset():
    s = listen()
    while True:
        c = s.accept()[0]
        c.recv(1)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()


def slow():
    c = listen().accept()[0]
    sys.stdin.read(1)
    n = 0
    while data := c.recv(65536):
        n += len(data)
    print(n, flush=True)


def one(port, size, failures):
    data = os.urandom(size)
    got = bytearray()
    with socket.create_connection(("127.0.0.1", port)) as c:
        def send():
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
        t = threading.Thread(target=send)
        t.start()
        while part := c.recv(65536):
            got += part
        t.join()
    if got != data:
        failures.append(f"{len(got)} of {size} bytes came back")


def load(port, n, size):
    failures = []
    threads = [threading.Thread(target=one, args=(port, size, failures)) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for f in failures:
        print(f)
    return 1 if failures else 0


def ask(port):
    try:
        with socket.create_connection(("127.0.0.1", port)) as c:
            c.sendall(b"x")
            print("answered" if c.recv(1) else "refused")
    except OSError:
        print("refused")
    return 0


if __name__ == "__main__":
    kind, numbers = sys.argv[1], [int(a) for a in sys.argv[2:]]
    sys.exit({"serve": serve, "reset": reset, "slow": slow, "load": load, "ask": ask}[kind](*numbers))
