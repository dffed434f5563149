#!/usr/bin/env python3
"""The pages of docs/causes against FLOE_CAUSE_MAP in include/floe/cause.h.

    tools/causes.py check     every cause has a page that agrees with the header, and the tables are up to date
    tools/causes.py write     writes the tables of docs/causes/README.md and docs/guide/701.md anew
"""

import json
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
HEADER = TOP / "include/floe/cause.h"
PAGES = TOP / "docs/causes"
TABLES = {PAGES / "README.md": "", TOP / "docs/guide/701.md": "../causes/"}
ABOUT_SERVERS = TOP / "docs/guide/701.md"  # has no causes of connections
BEGIN, END = "<!-- table: tools/causes.py write -->", "<!-- end of table -->"
SECTIONS = ["What it means", "How Floe decides", "What is usually behind it", "What to do", "In browsers"]
GROUPS = {
    1: "This host",
    2: "Names",
    3: "The way to the server",
    4: "Connection and TLS",
    5: "Answers that cannot be used",
    6: "What the server said",
    0: "After gathering, and from `floe check`",
    "check": "Between the two sides of a connection",
}


def read_map(header=HEADER):
    """The rows of FLOE_CAUSE_MAP."""
    text = pathlib.Path(header).read_text()
    body = text[text.index("#define FLOE_CAUSE_MAP(X)"):text.index("/** Why something failed. */")].replace("\\\n", " ")
    row = re.compile(r'X\(FLOE_CAUSE_\w+,\s*"(\w+)",\s*(\d),\s*(\d),\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)"\)')
    return [dict(id=m[1], group=int(m[2]), exit=int(m[3]), sentence=m[4], hint=m[5]) for m in row.finditer(body)]


def read_page(row, problems):
    """The facts in a page's head, after checking the page."""
    path = PAGES / (row["id"] + ".md")
    if not path.exists():
        problems.append(f"{path.relative_to(TOP)}: missing")
        return None
    text = path.read_text()

    def wants(condition, message):
        if not condition:
            problems.append(f"{path.relative_to(TOP)}: {message}")

    wants(text.startswith(f"# {row['id']}\n\n> {row['sentence']}\n"), "does not begin with the id and the header's sentence")
    facts = re.search(r"\|---\|---\|---\|\n\| (.*) \| (.*) \| (.*) \|\n", text)
    wants(facts, "has no table of phase, errorCode and exit status")
    wants(facts and facts[3] == str(row["exit"]), f"exit status is not the header's, {row['exit']}")
    for section in SECTIONS:
        wants(re.search(rf"^## {section}\n\n\S|^## {section}\n\n    \S", text, re.M), f"has no section '{section}'")
    wants(25 <= text.count("\n") <= 70, f"has {text.count(chr(10))} lines, not 25 to 70")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        wants((PAGES / target).exists(), f"links to {target}, which is not there")
    example = re.search(r"^```json\n(.*)\n```$", text, re.M)
    wants(example, "has no example")
    if example:
        check_example(row, json.loads(example[1]), wants)
    return dict(phase=facts[1], code=facts[2]) if facts else None


def check_example(row, event, wants):
    """An example must be what Floe would say."""
    if event.get("event") in ("ice.state", "dtls.state", "sctp.state"):
        wants(event["cause"] == row["id"], "the example has another cause")
        wants(event["to"] in ("failed", "disconnected"), "the example's state has no cause")
        return
    if event["type"] == "report":
        wants(row["group"] == 0, "the example is a report, though gathering has this cause")
        return
    wants(event["detail"]["cause"] == row["id"], "the example has another cause")
    if event["errorCode"] == 701:
        wants(event["errorText"] == f"{row['id']}: {row['sentence']}", "the example's errorText is not the header's sentence")
    wants((event["address"] is None) == (event["port"] is None), "the example has an address without port, or a port alone")


def group_of(row, page):
    """Causes of connections have a table of their own."""
    return "check" if row["group"] == 0 and page["phase"] in ("check", "dtls", "sctp") else row["group"]


def tables(rows, pages, link, groups):
    """The causes as Markdown, a table for each group."""
    out = []
    for group in groups:
        out += [f"### {GROUPS[group]}", "", "| cause | in a sentence | phase | `errorCode` | exit |", "|---|---|---|---|---|"]
        for row in rows:
            page = pages[row["id"]]
            if page and group_of(row, page) == group:
                out.append(f"| [{row['id']}]({link}{row['id']}.md) | {row['sentence']} | {page['phase']} | {page['code']} | {row['exit']} |")
        out.append("")
    return "\n".join(out)


def main(command):
    problems = []
    rows = [row for row in read_map() if row["id"] != "none"]
    if len(rows) < 40:
        sys.exit(f"{HEADER}: found only {len(rows)} causes: is the map laid out in another way?")
    pages = {row["id"]: read_page(row, problems) for row in rows}
    for path in PAGES.glob("*.md"):
        if path.name != "README.md" and path.stem not in pages:
            problems.append(f"{path.relative_to(TOP)}: there is no such cause")
    for path, link in TABLES.items():
        text = path.read_text()
        groups = [group for group in GROUPS if group != "check" or path != ABOUT_SERVERS]
        table = tables(rows, pages, link, groups)
        new = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n\n{table}\n{END}", text, flags=re.S)
        if command == "write":
            path.write_text(new)
        elif new != text or BEGIN not in text:
            problems.append(f"{path.relative_to(TOP)}: the table is out of date: run tools/causes.py write")
    for problem in problems:
        print(problem)
    print(f"causes: {len(rows)}, problems: {len(problems)}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("check", "write"):
        sys.exit(__doc__)
    main(sys.argv[1])
