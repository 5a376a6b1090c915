"""`python -m rtms_audit` is `rtms-audit`."""

import sys

from rtms_audit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
