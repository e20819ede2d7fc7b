"""The modules of these tests share made-up snapshots."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
