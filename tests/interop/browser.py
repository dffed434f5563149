#!/usr/bin/env python3
"""Peer connections of a browser without a window, as a program that speaks lines of JSON (README.md).

    browser.py chromium|firefox [--show-hosts] [--trust HOST:PORT=CERTIFICATE.pem]

The browser is started on an empty profile with a page of ours (pc_page.html) from a server on loopback. The page fetches
orders there, and posts what it has to say; nothing of the browser's own remote control is needed, so that both are
driven alike. By default host candidates are hidden behind .local names, as browsers do for pages without a permission
for the camera; --show-hosts lets them tell addresses. --trust makes the browser take a TLS server for good that shows
this certificate.
"""
import argparse
import base64
import hashlib
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = {"chromium": ("chromium-headless-shell", "chromium"), "firefox": ("firefox-esr", "firefox")}
FILES = {"/pc_page.html": "text/html", "/pc_page.js": "text/javascript"}
ORDERS_WAIT = 20  # seconds until the page asks again

CHROMIUM_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe")

# No pages but ours, and no words to anybody's servers.
FIREFOX_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.tabs.remote.autostart": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "fission.autostart": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.manage-offline-status": False,
    "network.notify.changed": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
}


def fingerprint_of(path, algorithm):
    with open(path, encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    return hashlib.new(algorithm, der).hexdigest().upper()


def public_key_hash(path):
    """What --ignore-certificate-errors-spki-list wants: base64 of the SHA-256 of the public key."""
    key = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True,
                         capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Exchange:
    """What the page and the standard streams have for each other. Both number what they say, because browsers lose a
    request now and then, Firefox when it believes that the network has changed: it is then asked, or told, again."""

    def __init__(self):
        self.orders = []
        self.said = 0
        self.changed = threading.Condition()

    def add_order(self, order):
        with self.changed:
            self.orders.append(order)
            self.changed.notify_all()

    def orders_from(self, first):
        """The orders from that number on; at least one, unless none comes in time."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.orders) > first, ORDERS_WAIT)
            return self.orders[first:]

    def say(self, first, facts):
        with self.changed:
            for fact in facts[self.said - first:]:
                sys.stdout.write(json.dumps(fact) + "\n")
            self.said = max(self.said, first + len(facts))
            sys.stdout.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # header and body in one

    def reply(self, kind, body, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        word, _, first = self.path.partition("?")
        if word == "/orders":
            self.reply("application/json", json.dumps(self.server.exchange.orders_from(int(first))).encode())
        elif self.path in FILES:
            with open(HERE + self.path, "rb") as file:
                self.reply(FILES[self.path] + "; charset=utf-8", file.read())
        else:
            self.reply("text/plain", b"", 404)

    def do_POST(self):
        posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.exchange.say(posted["first"], posted["lines"])
        self.reply("text/plain", b"")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, exchange):
        super().__init__(("127.0.0.1", 0), Handler)
        self.exchange = exchange
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # the browser ends as it likes


def start_chromium(program, profile, options, url):
    extra = [] if options.show_hosts else ["--enable-features=WebRtcHideLocalIpsWithMdns"]
    if options.show_hosts:
        extra.append("--disable-features=WebRtcHideLocalIpsWithMdns")
    if options.trust:
        keys = ",".join(public_key_hash(one.partition("=")[2]) for one in options.trust)
        extra.append("--ignore-certificate-errors-spki-list=" + keys)
    # It wants a pair of pipes for its remote control, or else ends at once. Nothing is ever said on them.
    orders, keep = os.pipe()
    keep_too, answers = os.pipe()
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$@" 3<&{orders} 4>&{answers}', "sh", program, *CHROMIUM_OPTIONS,
         "--user-data-dir=" + profile, *extra, url],
        pass_fds=(orders, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(orders)
    os.close(answers)
    process.kept = (keep, keep_too)
    return process


def start_firefox(program, profile, options, url):
    preferences = {**FIREFOX_PREFERENCES, "media.peerconnection.ice.obfuscate_host_addresses": not options.show_hosts}
    with open(os.path.join(profile, "user.js"), "w", encoding="ascii") as file:
        for name, value in preferences.items():
            file.write(f'user_pref("{name}", {json.dumps(value)});\n')
    with open(os.path.join(profile, "cert_override.txt"), "w", encoding="ascii") as file:
        for one in options.trust:
            server, _, path = one.partition("=")
            digest = fingerprint_of(path, "sha256")
            pairs = ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))
            file.write(f"{server}:\tOID.2.16.840.1.101.3.4.2.1\t{pairs}\t\n")
    return subprocess.Popen(
        [program, "--headless", "--no-remote", "--profile", profile, url],
        env={**os.environ, "HOME": profile, "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def forward(exchange, process):
    """Carries orders until they end."""
    for line in sys.stdin:
        order = json.loads(line)
        if order.get("do") == "quit":
            break
        exchange.add_order(order)
    process.is_expected_to_end = True
    process.terminate()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("browser", choices=sorted(PROGRAMS))
    parser.add_argument("--show-hosts", action="store_true", help="addresses in host candidates, not .local names")
    parser.add_argument("--trust", action="append", default=[], metavar="HOST:PORT=CERTIFICATE.pem")
    options = parser.parse_args()
    program = next(filter(None, map(shutil.which, PROGRAMS[options.browser])), None)
    if program is None:
        sys.exit(f"browser.py: {options.browser} is not installed")
    exchange = Exchange()
    server = Server(exchange)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        start = start_chromium if options.browser == "chromium" else start_firefox
        process = start(program, profile, options, f"http://127.0.0.1:{server.server_port}/pc_page.html")
        process.is_expected_to_end = False
        threading.Thread(target=forward, args=(exchange, process), daemon=True).start()
        process.wait()
    if not process.is_expected_to_end:
        exchange.say(exchange.said, [{"event": "gone", "status": process.returncode}])
    sys.stdout.flush()
    os._exit(0 if process.is_expected_to_end else 1)  # threads may be in a read


if __name__ == "__main__":
    main()
