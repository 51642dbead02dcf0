"""How these programs speak: progress, and errors that name the thing, the reason, the way out."""

import sys


class Fail(Exception):
    def __init__(self, thing, reason, way_out):
        super().__init__(f"{thing}: {reason}; {way_out}")


def say(text):
    print(f"packages: {text}", file=sys.stderr, flush=True)


def run(main):
    try:
        main()
    except Fail as fail:
        print(f"packages: error: {fail}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
