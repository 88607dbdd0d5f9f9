"""``python -m qverify_desktop.cli``."""

import sys

from qverify_desktop.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
