#!/bin/sh
# Every cause of floe/cause.h has its page, and pages and tables agree with the header.
set -eu
exec python3 "$(dirname "$0")/causes.py" check
