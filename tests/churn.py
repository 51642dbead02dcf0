"""api-churn, which writes and watches while its server is hurt, and proves in the end that nothing was lost."""
import subprocess

import pytest


class Churn:
    """A line is answered when what it asks for has come true."""

    def __init__(self, program, kubeconfig, namespace, writers, watchers):
        self.process = subprocess.Popen([program, kubeconfig, namespace, str(writers), str(watchers)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait(self, what):
        """"acked": every writer has written; "refused": every writer was refused."""
        print(what, file=self.process.stdin, flush=True)
        if self.process.stdout.readline().strip() != what:
            out, errors = self.process.communicate()
            pytest.fail(f"waiting for {what!r}: {out}{errors}")

    def finish(self):
        """Status, output and complaints, once the writing has ended and all was compared."""
        out, errors = self.process.communicate()
        return self.process.returncode, out, errors

    def result(self):
        status, out, errors = self.finish()
        assert status == 0, out + errors
        words = out.split()
        return {"acked": int(words[1]), "refused": int(words[4]), "by_5xx": int(words[7])}

    def end(self):
        self.process.kill()
        self.process.communicate()
