"""Starts the application: the window where there is a display, the command line with arguments."""

import sys

from qverify_desktop.start import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
