#!/usr/bin/env python3
"""Line coverage of src/ and cli/ after the tests of a coverage build have run.

    tools/coverage.py BUILD-DIR [FILE...]     the share of each file, lowest first; of FILEs the lines that never ran
"""

import json
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent


def counts(build):
    """{file: {line: times it ran}} over all objects that a file is in."""
    lines = {}
    for data in build.rglob("*.gcda"):
        run = subprocess.run(["gcov", "--json-format", "--stdout", data], capture_output=True, cwd=data.parent, check=True)
        for report in run.stdout.splitlines():
            for file in json.loads(report)["files"]:
                path = pathlib.Path(data.parent, file["file"]).resolve()
                if path.is_relative_to(TOP) and path.relative_to(TOP).parts[0] in ("src", "cli"):
                    of_file = lines.setdefault(str(path.relative_to(TOP)), {})
                    for line in file["lines"]:
                        of_file[line["line_number"]] = of_file.get(line["line_number"], 0) + line["count"]
    return lines


def main(build, wanted):
    lines = counts(pathlib.Path(build))
    if not lines:
        sys.exit(f"no coverage data below {build}: run its tests first")
    for name in wanted:
        source = (TOP / name).read_text().splitlines()
        for number, count in sorted(lines.get(name, {}).items()):
            if count == 0:
                print(f"{name}:{number}: {source[number - 1]}")
    if not wanted:
        shares = sorted((sum(map(bool, l.values())) / len(l), len(l), name) for name, l in lines.items() if l)
        for share, total, name in shares:
            print(f"{100 * share:5.1f} % of {total:4} lines  {name}")
        ran = sum(sum(map(bool, l.values())) for l in lines.values())
        total = sum(map(len, lines.values()))
        print(f"{100 * ran / total:5.1f} % of {total} lines in all")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
