"""Where this checkout is, and the folders whose modules the imager and the launcher use."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in ("rootfs/packages", "installer", "services/tools"):
    if str(ROOT / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / folder))
