"""What the documentation and the examples show works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from helper import PATIENCE, ROOT, ConsulTest

EXAMPLES = ROOT / "examples" / "python"


def start(example: str, *arguments: str) -> subprocess.Popen[str]:
    """Starts an example."""
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / example), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Examples(ConsulTest):
    def run_example(self, example: str) -> str:
        process = start(example)
        output, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, output)
        return output

    def test_all_are_tested(self) -> None:
        tested = re.findall(r'"(\d_\w+\.py)"', Path(__file__).read_text())
        self.assertEqual(sorted(set(tested)), sorted(path.name for path in EXAMPLES.glob("*.py")))

    def test_first_key(self) -> None:
        output = self.run_example("1_first_key.py")
        self.assertRegex(output, r"^hello modify index \d+\n$")
        self.assertIsNone(self.client.kv.get("app/greeting"))

    def test_polling(self) -> None:
        self.client.kv.delete("app/limit")
        process = start("2_polling.py", "3")
        self.assertEqual(process.stdout.readline(), "app/limit = nothing\n")
        self.client.kv.put("app/limit", "5")
        self.assertEqual(process.stdout.readline(), "app/limit = 5\n")
        self.client.kv.put("app/other", "6")
        self.client.kv.put("app/limit", "7")
        output, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, output), (0, "app/limit = 7\n"))

    def test_lock(self) -> None:
        first, second = start("3_lock.py"), start("3_lock.py")
        outputs = [process.communicate(timeout=PATIENCE)[0] for process in (first, second)]
        tokens = []
        for process, output in zip((first, second), outputs):
            self.assertEqual(process.returncode, 0, output)
            self.assertRegex(output, r"^leading, fencing token \d+\ndone\n$")
            tokens.append(int(re.findall(r"\d+", output)[0]))
        self.assertNotEqual(*tokens)
        # Both have led; the one with the higher token was the last.
        last = (first, second)[tokens.index(max(tokens))]
        self.assertEqual(self.client.kv.get("app/last-leader").text, f"worker {last.pid}")

    def test_service(self) -> None:
        output = self.run_example("4_service.py")
        self.assertRegex(output, r"^([\d.]+:8080 is passing\n)+$")
        self.assertIsNone(self.client.agent.service("example-web"))

    def test_transaction(self) -> None:
        output = self.run_example("5_transaction.py").splitlines()
        self.assertEqual(output[:3], ["transferred", "accounts/anna 70", "accounts/ben 30"])
        self.assertIn("operation 1:", output[3])
        self.assertEqual(output[4], "ben still has 30")

    def test_errors(self) -> None:
        output = self.run_example("6_errors.py").splitlines()
        self.assertEqual(output[:2], ["missing key: None", "lost compare-and-set: False"])
        self.assertIn("NUL at character 1", output[2])
        self.assertIn("heartbeat: NOT_FOUND", output[3])
        self.assertEqual(output[4], "ConnectError, not written, may be tried again")


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
