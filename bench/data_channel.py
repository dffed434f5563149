#!/usr/bin/env python3
"""Data channels of Floe beside those of others, in one run: throughput, round trips, CPU, time to the first message, memory.

    data_channel.py BENCH-DATA-CHANNEL FLOE-PATH [--stacks floe,node_datachannel,wrtc,werift,aiortc] [--seconds S]
                    [--runs N] [--parts flow,connect,memory] [--ways loopback/...] [--seed N] [--smoke]

Each figure comes from two processes of the same stack, the one that offers and sends, and the one that answers and
receives, with one ordered and reliable channel and one candidate each: an address of this host. Where a delay or loss
is said, FLOE-PATH (bench/support/path_main.c) is between them. A sender keeps 256 KiB to 1 MiB in bufferedAmount.

Both print `sdp`, the lines of their description and `.`, and get that of the other in the same form. Then the offerer
prints `open`, the answerer `first` with the first message; `count` is answered with `count MESSAGES BYTES`, `times` with
`times N P50 P99 MAX` in microseconds since the last such question.
"""
import argparse
import os
import queue
import re
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = [os.environ.get("FLOE_NODE", "node"), "--expose-gc", os.path.join(HERE, "support", "data_channel.mjs")]
PYTHON = os.environ.get("FLOE_PYTHON", "/usr/bin/python3")
NAMES = {"floe": "Floe", "node_datachannel": "libdatachannel (node-datachannel)", "wrtc": "libwebrtc (@roamhq/wrtc)",
         "werift": "werift", "aiortc": "aiortc"}
# One-way delay in ms, lost of a million.
WAYS = {"loopback": None, "20 ms": (10, 0), "20 ms, 0.1 % lost": (10, 1000), "20 ms, 1 % lost": (10, 10000)}
PATIENCE = 20.0  # until something that must come is given up
HOST = re.compile(r"^a=candidate:\S+ 1 (?:udp|UDP) \d+ ([0-9.]+) (\d+) typ host")


class Silent(Exception):
    pass


class Program:
    """A process that speaks lines."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        stderr=None if os.environ.get("FLOE_VERBOSE") else subprocess.DEVNULL)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put((time.monotonic(), line.rstrip("\n")))
        self.lines.put((time.monotonic(), None))

    def tell(self, text):
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Silent("it has ended") from None

    def hear(self, word, patience=PATIENCE):
        """The next line that begins with the word, and when it came."""
        until = time.monotonic() + patience
        while True:
            try:
                at, line = self.lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise Silent(f"no {word}") from None
            if line is None:
                raise Silent(f"it has ended without {word}")
            if line.split(" ")[0] == word:
                return at, line.split(" ")[1:]

    def description(self):
        self.hear("sdp")
        lines = []
        while (line := self.lines.get(timeout=PATIENCE)[1]) != ".":
            if line is None:
                raise Silent("it has ended in its description")
            lines.append(line)
        return lines

    def cpu(self):
        """Seconds of user and system time of all its threads (the kernel's clock of the process, as clock_getcpuclockid
        names it)."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def end(self):
        self.process.kill()
        self.process.wait()


class Path:
    def __init__(self, program, way, seed):
        self.program = Program([program, str(way[0]), str(way[1]), str(seed)]) if way else None
        if self.program:
            self.program.tell("open")
            self.via = self.program.hear("via")[1]

    def lead(self, side, lines):
        """The description with one candidate, the first that is a host's, or what stands for it on the path."""
        kept = []
        has_one = False
        for line in lines:
            if line.startswith("a=candidate:"):
                found = HOST.match(line)
                if has_one or not found or found[1].startswith("127."):
                    continue
                has_one = True
                if self.program:
                    self.program.tell(f"end {side} {found[1]} {found[2]}")
                    self.program.hear("ok")
                    line = line[:found.start(2)] + self.via[side] + line[found.end(2):]
            kept.append(line)
        if not has_one:
            raise Silent("it has no host candidate with IPv4")
        return "\n".join(["sdp", *kept, "."])

    def end(self):
        if self.program:
            self.program.end()


class Meeting:
    """Two programs of the same stack whose descriptions are exchanged."""

    def __init__(self, run, stack, kind, size, way):
        self.path = Path(run.path, way, run.next_seed())
        self.sides = []
        try:
            for role in ("offer", "answer"):
                self.sides.append(Program(run.command(stack) + [role, kind, str(size)]))
            offer, answer = self.sides
            answer.tell(self.path.lead(0, offer.description()))
            answer = self.path.lead(1, answer.description())
            self.began = time.monotonic()
            offer.tell(answer)
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for program in self.sides:
            program.end()
        self.path.end()


def busy():
    """CPU seconds that everything on this machine has used so far."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class Run:
    def __init__(self, options):
        self.exe = options.exe
        self.path = options.path
        self.seed = options.seed
        self.seconds = options.seconds
        self.n_paths = 0
        self.others = []  # share of a core that the rest of the machine used, for each window

    def next_seed(self):
        """Another one for each repetition, and the same ones for each stack."""
        self.n_paths += 1
        return self.seed + self.n_paths

    def command(self, stack):
        if stack == "floe":
            return [self.exe]
        if stack == "aiortc":
            return [PYTHON, os.path.join(HERE, "support", "data_channel_aiortc.py")]
        return NODE + [stack]

    def flood(self, stack, size, way):
        """MB/s, messages/s, CPU seconds per GB at the sender and at the receiver."""
        with Meeting(self, stack, "flood", size, way) as meeting:
            sender, receiver = meeting.sides
            receiver.hear("first")
            time.sleep(3 * self.seconds / 4 if way else self.seconds / 4)
            cpus = [-program.cpu() for program in meeting.sides]
            used = -busy()
            receiver.tell("count")
            start, (n, size) = receiver.hear("count")
            n, size = -int(n), -int(size)
            time.sleep(self.seconds * (3 if way and way[1] else 1))  # congestion control is slow there
            receiver.tell("count")
            end, (n_end, size_end) = receiver.hear("count")
            cpus = [cpu + program.cpu() for cpu, program in zip(cpus, meeting.sides)]
            used += busy() - sum(cpus)
            n, size = n + int(n_end), size + int(size_end)
            self.others.append(max(0.0, used) / (end - start))
            if size == 0:
                raise Silent("nothing arrives")
            return [size / 1e6 / (end - start), n / (end - start), *(cpu / (size / 1e9) for cpu in cpus)]

    def ping(self, stack, way):
        """Round trips of 100 bytes: p50 and p99 in microseconds."""
        with Meeting(self, stack, "ping", 100, way) as meeting:
            offer, answer = meeting.sides
            answer.hear("first")
            time.sleep(self.seconds / 4)
            offer.tell("times")
            offer.hear("times")
            time.sleep(self.seconds * (1 if not way else 9 if way[1] else 3))
            offer.tell("times")
            _, (n, p50, p99, _) = offer.hear("times")
            if int(n) == 0:
                raise Silent("nothing comes back")
            return [float(p50), float(p99)]

    def connect(self, stack, way):
        """Milliseconds from the answer at the offerer until it is open, and until its first message has arrived."""
        with Meeting(self, stack, "ping", 100, way) as meeting:
            offer, answer = meeting.sides
            opened = offer.hear("open")[0] - meeting.began
            first = answer.hear("first")[0] - meeting.began
            return [opened * 1e3, first * 1e3]

    def memory(self, stack, pairs):
        """KiB of RSS and of heap for each peer connection."""
        program = Program(self.command(stack) + ["many", str(pairs)])
        try:
            rss, heap = program.hear("memory", 120)[1]
            return [float(rss) / 1024, float("nan") if heap == "-" else float(heap) / 1024]
        finally:
            program.end()


def median_of(runs, measure, *arguments):
    """The medians of what several runs of it give; None when none did."""
    rows = []
    measure.__self__.n_paths = 0
    for _ in range(runs):
        try:
            rows.append(measure(*arguments))
        except Silent as silent:
            print(f"# {arguments[0]} {arguments[1:]}: {silent}", file=sys.stderr)
    return [statistics.median(column) for column in zip(*rows)] if rows else None


def number(value):
    if value is None or value != value:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Table:
    """Rows of figures of stacks, each with its ratio to Floe's."""

    def __init__(self, title, columns):
        self.title = title
        self.columns = columns
        self.ours = None
        print(f"\n{title}\n")
        print("| | " + " | ".join(columns) + " |")
        print("|---|" + "---|" * len(columns), flush=True)

    def row(self, stack, values):
        values = values or [None] * len(self.columns)
        if stack == "floe":
            self.ours = values
        cells = []
        for value, ours in zip(values, self.ours or values):
            is_ratio = stack != "floe" and value and ours and value == value and ours == ours
            cells.append(number(value) + (f" ({value / ours:.2f}x)" if is_ratio else ""))
        print(f"| {NAMES[stack]} | " + " | ".join(cells) + " |", flush=True)


def show_flow(run, options):
    for name, way in WAYS.items():
        if options.ways and name not in options.ways:
            continue
        table = Table(f"Round trip and loss: {name}", [
            "64 KiB: MB/s", "CPU s/GB, both", "1,200 B: MB/s", "messages/s", "CPU s/GB, both", "100 B: messages/s",
            "round trip p50, us", "p99, us"])
        for stack in options.stacks:
            large = median_of(options.runs, run.flood, stack, 65536, way)
            middle = median_of(options.runs, run.flood, stack, 1200, way)
            small = median_of(options.runs, run.flood, stack, 100, way)
            trip = median_of(options.runs, run.ping, stack, way)
            table.row(stack, [large and large[0], large and large[2] + large[3], middle and middle[0],
                              middle and middle[1], middle and middle[2] + middle[3], small and small[1],
                              *(trip or [None, None])])


def show_connect(run, options):
    ways = {"0 ms": None, "20 ms": (10, 0), "100 ms": (50, 0)}
    table = Table("From exchanged descriptions to the first message at the peer, ms and round trips; the floor is 5",
                  [*(f"round trip {name}" for name in ways), "round trips at 20 ms", "round trips at 100 ms"])
    for stack in options.stacks:
        took = [median_of(2 * options.runs + 1, run.connect, stack, way) for way in ways.values()]
        took = [one and one[1] for one in took]
        table.row(stack, [*took, took[1] and took[1] / 20, took[2] and took[2] / 100])


def show_memory(run, options):
    counts = (1, 100, 1000)
    table = Table("Memory of a connected peer connection with an open channel, KiB (both of a pair in one process)",
                  [f"{what}, of {n}" for n in counts for what in ("RSS", "heap")])
    for stack in options.stacks:
        values = []
        for n in counts:
            values += median_of(1, run.memory, stack, max(1, n // 2)) or [None, None]
        table.row(stack, values)


def smoke(run):
    """Raises where something does not work."""
    run.seconds = 0.4
    way = (5, 10000)
    print("MB/s, messages/s, CPU s/GB:", run.flood("floe", 1200, way))
    print("round trip, us:", run.ping("floe", way))
    print("connect, ms:", run.connect("floe", way))
    print("memory, KiB:", run.memory("floe", 2))


PARTS = {"flow": show_flow, "connect": show_connect, "memory": show_memory}


def main():
    words = lambda text: text.split(",")
    parser = argparse.ArgumentParser()
    parser.add_argument("exe")
    parser.add_argument("path")
    parser.add_argument("--stacks", type=words, default=list(NAMES))
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--parts", type=words, default=list(PARTS))
    parser.add_argument("--ways", type=lambda text: text.split("/"), help="of: " + " / ".join(WAYS).replace("%", "%%"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="a moment of everything, of Floe alone")
    options = parser.parse_args()
    run = Run(options)
    if options.smoke:
        smoke(run)
        return
    print(f"seed of what is lost: {options.seed}; medians of {options.runs} windows of {options.seconds:g} s, of three times "
          "that under loss")
    for part in options.parts:
        PARTS[part](run, options)
    if run.others:
        print(f"\nThe rest of the machine, the path included, used {statistics.median(run.others) * 100:.0f} % of a core "
              f"meanwhile (at most {max(run.others) * 100:.0f} %).")


if __name__ == "__main__":
    main()
