#!/usr/bin/env python3
"""Compares what `floe check --json` printed with what a test expects.

    expect.py CASE-DIRECTORY...

A case is a directory with the files title, command, out, err, status and expect. The lines of `expect` are the events
and the report, in their order; fields are separated by spaces, quoted as in sh, and `*` stands for anything.

    exit 4
    within 7000             `complete` comes within so many milliseconds (the only time that is ever looked at)
    gathering
    host udp ADDRESS
    srflx PROTOCOL ADDRESS RELATED-ADDRESS URL
    relay PROTOCOL ADDRESS RELATED-ADDRESS RELAY-PROTOCOL URL
    error CODE CAUSE URL ADDRESS PHASE TRANSPORT FAMILY
    servererror ...         the same, of the event iceservererror
    end
    complete
    report VERDICT
    server VERDICT CAUSE URL
      attempt OUTCOME CODE CAUSE TRANSPORT LOCAL-ADDRESS SERVER-ADDRESS
      test OUTCOME CAUSE RELAY-PROTOCOL RELAYED-ADDRESS

`-` stands for what is absent. After these, `name=value` compares any other field, `name=-` says that it is absent.
Lines between `{` and `}` may come in any order. Rules that hold for every run are checked without being asked for.
"""
import json
import re
import shlex
import sys
from pathlib import Path

CREDENTIALS = ("floe-secret", "floe-wrong")


class Mismatch(Exception):
    pass


def host_of(address):
    """The IP address of "192.0.2.1:3478" or "[2001:db8::1]:3478"."""
    if address is None:
        return None
    return address[1:].split("]")[0] if address.startswith("[") else address.rsplit(":", 1)[0]


def flatten(value, prefix=""):
    """Nested objects as one: {"tls": {"alert": 40}} becomes {"tls.alert": 40}."""
    flat = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat.update(flatten(item, prefix + key + "."))
        elif not isinstance(item, list):
            flat[prefix + key] = item
    return flat


class Line:
    """One line as printed: fields by position, and all others by name."""

    def __init__(self, fields, source):
        self.fields = ["-" if f is None else str(f) for f in fields]
        flat = flatten(source)
        self.named = {}
        for key, value in flat.items():
            # "detail.cause" is "cause" where nothing else has that name
            short = key[len("detail."):] if key.startswith("detail.") else key
            self.named[short if short not in flat or key == short else key] = value
        if "icmpType" in self.named:
            self.named["icmp"] = "%s/%s" % (self.named["icmpType"], self.named["icmpCode"])

    def __str__(self):
        shown = " ".join(shlex.quote(f) for f in self.fields)
        names = ("icmp", "osErrorText", "dnsStatus", "tls.alertText", "tls.verifyText", "errorText", "realm", "software",
                 "redirects", "discarded", "mappedAddress", "relayedAddress", "relayedAddressAdditional", "lifetime",
                 "unauthenticatedRedirect", "redundant", "serverAddress", "additionalErrorCode", "arrivedOut",
                 "arrivedBack")
        for name in names:
            if self.named.get(name) not in (None, 0):
                shown += " %s=%s" % (name, shlex.quote(text_of(self.named[name])))
        return shown


def text_of(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def candidate(o):
    if o["candidate"] == "":
        return ["end"]
    kind = o["candidateType"]
    fields = [kind, o["protocol"], o["address"]]
    if kind != "host":
        fields.append(o["relatedAddress"])
    if kind == "relay":
        fields.append(o["relayProtocol"])
    if kind != "host":
        fields.append(o["url"])
    return fields


def error(name, o):
    d = o["detail"]
    return [name, o["errorCode"], d["cause"], o["url"], o["address"], d["phase"], d["transport"], d.get("family")]


def report(o):
    yield Line(["report", o["verdict"]], {k: v for k, v in o.items() if k != "servers"})
    for s in o["servers"]:
        yield Line(["server", s["verdict"], s["cause"], s["url"]], s)
        for a in s["attempts"]:
            d = a["detail"]
            yield Line(["attempt", a["outcome"], a.get("errorCode"), d["cause"], d["transport"],
                        host_of(d.get("localAddress")), d.get("serverAddress")], a)
        for t in s["relayTests"]:
            yield Line(["test", t["outcome"], t.get("cause"), t["relayProtocol"], host_of(t["relayedAddress"])], t)


def lines_of(o):
    kind = o["type"]
    if kind == "icegatheringstatechange":
        return [Line([o["state"]], o)]
    if kind == "icecandidate":
        return [Line(candidate(o), o)]
    if kind == "icecandidateerror":
        return [Line(error("error", o), o)]
    if kind == "iceservererror":
        return [Line(error("servererror", o), o)]
    if kind == "report":
        return list(report(o))
    return [Line([kind], o)]


# --- rules that always hold ---------------------------------------------------------------------------------------------

def require(holds, sentence):
    if not holds:
        raise Mismatch(sentence)


def check_error(o, surfaced, told):
    d = o["detail"]
    require((o["address"] is None) == (o["port"] is None), "address and port are absent together")
    require(o["port"] != 0, "a port is never 0")
    require(o["address"] is None or o["address"] in surfaced, "an address that is told is that of a candidate")
    code = o["errorCode"]
    require(code == 701 or 300 <= code <= 699, "an error code is 701 or a server's")
    if code == 701:
        require(o["errorText"].startswith(d["cause"] + ": "), "the text of a 701 begins with its cause")
        require((o["url"], code) not in told, "one 701 per URL")
    told.add((o["url"], code))
    for name in ("serverAddress", "localAddress", "serverName", "osErrorText", "realm", "software"):
        require(d.get(name, "x") not in ("", 0), "%s: absent is absent" % name)


def check_rules(objects, text):
    for word in CREDENTIALS:
        require(word not in text, "credentials are never printed")
    if objects and objects[0]["type"] == "error":
        require(len(objects) == 1, "a refused configuration is one line")
        return
    surfaced, told, last = set(), set(), 0.0
    for o in objects:
        if o["type"] != "report":
            require(o["t_ms"] >= last, "times do not run backwards")
            last = o["t_ms"]
        if o["type"] == "icecandidate" and o["candidate"] != "":
            surfaced.add(o["address"])
            require(1 <= o["port"] <= 65535, "a candidate has a port")
        if o["type"] == "icecandidateerror":
            check_error(o, surfaced, told)


# --- comparing ------------------------------------------------------------------------------------------------------------

def matches_text(pattern, text):
    return re.fullmatch(".*".join(re.escape(p) for p in pattern.split("*")), text, re.S) is not None


def split_named(words):
    fields = [w for w in words if not re.match(r"[A-Za-z.]+=", w)]
    named = dict(w.split("=", 1) for w in words if re.match(r"[A-Za-z.]+=", w))
    return fields, named


class Expected:
    def __init__(self, text):
        self.text = text
        self.fields, self.named = split_named(shlex.split(text))

    def matches(self, line):
        if len(self.fields) != len(line.fields):
            return False
        if not all(matches_text(p, f) for p, f in zip(self.fields, line.fields)):
            return False
        return all(matches_text(p, text_of(line.named.get(n))) for n, p in self.named.items())


def read_expect(text):
    """The settings, and a list of groups: lines that come in any order within their group."""
    settings, groups, group = {}, [], None
    for raw in text.splitlines():
        line = raw.strip()
        if line == "" or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word in ("exit", "within"):
            settings[word] = rest
        elif line == "{":
            group = []
        elif line == "}":
            groups.append(group)
            group = None
        elif group is not None:
            group.append(Expected(line))
        else:
            groups.append([Expected(line)])
    require(group is None, "a { without its }")
    require("exit" in settings, "no exit status is expected")
    return settings, groups


def assign(group, lines):
    """Whether the lines are those of the group in some order."""
    if not group:
        return True
    return any(group[0].matches(line) and assign(group[1:], lines[:i] + lines[i + 1:]) for i, line in enumerate(lines))


def compare(groups, lines):
    at = 0
    for group in groups:
        found = lines[at:at + len(group)]
        if len(found) < len(group) or not assign(group, found):
            raise Mismatch("not found at line %d:\n      %s" % (at + 1, "\n      ".join(e.text for e in group)))
        at += len(group)
    require(at == len(lines), "more than expected, from line %d" % (at + 1))


def check_case(case, lines):
    settings, groups = read_expect((case / "expect").read_text())
    status = (case / "status").read_text().strip() if (case / "status").exists() else "none"
    text = (case / "out").read_text()
    objects = [json.loads(line) for line in text.splitlines()]
    for o in objects:
        lines.extend(lines_of(o))
    require((case / "err").read_text() == "", "standard error is empty")
    check_rules(objects, text)
    compare(groups, lines)
    require(status == settings["exit"], "exit %s, expected %s" % (status, settings["exit"]))
    if "within" in settings:
        complete = [o["t_ms"] for o in objects if o.get("state") == "complete"]
        require(complete and complete[0] <= float(settings["within"]), "complete at %s ms" % complete)


def show_failure(case, lines, why):
    print("    %s" % why)
    print("  command: %s" % (case / "command").read_text().strip())
    print("  printed:")
    for i, line in enumerate(lines, 1):
        print("  %3d %s" % (i, line))
    for line in (case / "err").read_text().splitlines()[:60]:
        print("  stderr: %s" % line)


def main():
    failures = 0
    for name in sys.argv[1:]:
        case, lines = Path(name), []
        title = (case / "title").read_text().strip()
        try:
            check_case(case, lines)
            print("ok      %s" % title)
        except (Mismatch, json.JSONDecodeError, KeyError) as e:
            failures += 1
            print("FAILED  %s" % title)
            show_failure(case, lines, "%s%s" % ("" if isinstance(e, Mismatch) else type(e).__name__ + ": ", e))
    sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
