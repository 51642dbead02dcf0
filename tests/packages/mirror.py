"""A Debian archive of a few tiny packages, signed, served over HTTP on a port that is free."""

import functools
import http.server
import os
import shutil
import subprocess
import threading

SUITES = ("bookworm", "trixie", "forky", "sid")


class Mirror:
    def __init__(self, folder):
        self.folder = folder / "mirror"
        self.gnupg = folder / "gnupg"
        self.keyring = folder / "keyring.gpg"
        self.gnupg.mkdir(parents=True, mode=0o700)
        self._gpg("--quick-gen-key", "archive@example.invalid", "ed25519", "sign", "never")
        self.keyring.write_bytes(self._gpg("--export"))
        handler = functools.partial(Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/mirror"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        subprocess.run(["gpgconf", "--homedir", self.gnupg, "--kill", "all"], check=True)

    def add_deb(self, suite, name, version, text):
        """A package with one file, /usr/share/NAME."""
        tree = self.folder / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\n"
            "Description: for a test\n"
        )
        (tree / "usr/share").mkdir(parents=True)
        (tree / "usr/share" / name).write_text(text)
        file = self.deb(suite, name, version)
        file.parent.mkdir(parents=True, exist_ok=True)
        run("dpkg-deb", "--root-owner-group", "-b", tree, file)
        shutil.rmtree(tree)

    def deb(self, suite, name, version):
        return self.folder / "pool" / suite / f"{name}_{version}_all.deb"

    def add_source(self, suite, name, version, text):
        """A native source package with one file, `text`."""
        pool = self.folder / "pool" / suite
        pool.mkdir(parents=True, exist_ok=True)
        tree = pool / f"{name}-{version}"
        (tree / "debian/source").mkdir(parents=True)
        (tree / "text").write_text(text)
        (tree / "debian/source/format").write_text("3.0 (native)\n")
        (tree / "debian/control").write_text(
            f"Source: {name}\nMaintainer: nobody <nobody@example.invalid>\n\n"
            f"Package: {name}\nArchitecture: all\nDescription: for a test\n"
        )
        (tree / "debian/changelog").write_text(
            f"{name} ({version}) unstable; urgency=low\n\n  * Test.\n\n"
            " -- nobody <nobody@example.invalid>  Wed, 01 Jan 2025 00:00:00 +0000\n"
        )
        run("dpkg-source", "-b", tree.name, cwd=pool)
        shutil.rmtree(tree)

    def publish(self):
        """Writes and signs every suite's index of what the pool holds now."""
        for suite in SUITES:
            dist = self.folder / "dists" / suite
            for index, command in (
                ("main/binary-amd64/Packages", "packages"),
                ("main/source/Sources", "sources"),
            ):
                file = dist / index
                file.parent.mkdir(parents=True, exist_ok=True)
                (self.folder / "pool" / suite).mkdir(parents=True, exist_ok=True)
                file.write_bytes(run("apt-ftparchive", command, f"pool/{suite}", cwd=self.folder))
            (dist / "InRelease").unlink(missing_ok=True)
            release = run(
                "apt-ftparchive",
                "-o",
                f"APT::FTPArchive::Release::Codename={suite}",
                "-o",
                "APT::FTPArchive::Release::Architectures=amd64",
                "-o",
                "APT::FTPArchive::Release::Components=main",
                "release",
                dist,
            )
            (dist / "InRelease").write_bytes(self._gpg("--clearsign", input=release))

    def _gpg(self, *words, **options):
        return run(
            "gpg",
            "--homedir",
            self.gnupg,
            "--batch",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
            *words,
            **options,
        )


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        # Two versions of an index may be of the same second, so none is ever called unmodified.
        del self.headers["If-Modified-Since"]
        super().do_GET()

    def log_message(self, *words):
        pass


def run(*words, **options):
    env = dict(os.environ, LC_ALL="C.UTF-8")
    done = subprocess.run(words, capture_output=True, env=env, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
