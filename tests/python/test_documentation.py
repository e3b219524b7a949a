"""What the documentation shows works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unittest

from helper import PATIENCE, ROOT, ConsulTest

class Documentation(ConsulTest):
    def test_programs_that_are_shown_run(self) -> None:
        pages = [ROOT / "docs" / "python.md", ROOT / "python" / "README.md"]
        for page in pages:
            programs = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
            self.assertTrue(programs, page)
            for program in programs:
                # Shown addresses are the default one; the tests' agent is elsewhere.
                program = program.replace("http://127.0.0.1:8500", os.environ["CONSUL_HTTP_ADDR"])
                result = subprocess.run(
                    [sys.executable, "-c", program],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=PATIENCE,
                )
                self.assertEqual(result.returncode, 0, f"{page}: {program}\n{result.stdout}")


if __name__ == "__main__":
    unittest.main()
