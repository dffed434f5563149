#!/usr/bin/env python3
"""Servers that are no TURN servers: each says its line to whoever connects, and then only listens.

    banner.py ADDRESS:PORT=LINE...
"""
import socketserver
import sys
import threading


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(self.server.line.encode() + b"\r\n")
        while self.request.recv(4096):
            pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    for spec in sys.argv[1:]:
        where, _, line = spec.partition("=")
        address, _, port = where.rpartition(":")
        server = Server((address, int(port)), Handler)
        server.line = line
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


main()
