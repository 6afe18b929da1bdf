"""What it costs to start: imports over `import torch`, and the commands that need no torch.

python benchmarks/startup.py
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from timing import paired

DIVMIN = Path(sys.executable).parent / "divmin"
PYTHON = sys.executable


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch = (PYTHON, "-c", "import torch")
    cases = {
        "import divmin after torch": (PYTHON, "-c", "import torch, divmin"),
        "import divmin, use a divergence": (PYTHON, "-c", "import torch, divmin; divmin.divergence('js').b(1.0)"),
        "divmin --help": (str(DIVMIN), "--help"),
        "divmin list": (str(DIVMIN), "list"),
    }
    rows = []
    for name, command in cases.items():
        seconds, base, _ = paired(lambda c=command: run(*c), lambda: run(*torch), options.rounds)
        rows.append({"what": name, "seconds": seconds, "over_import_torch": seconds - base})
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"medians of {options.rounds} runs, each beside one of `import torch`")
    for row in rows:
        print(f"{row['what']:<36} {row['seconds']:6.2f} s   {row['over_import_torch']:+6.2f} s over import torch")


if __name__ == "__main__":
    main()
