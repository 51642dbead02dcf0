"""The control plane as processes, for tests: what the fixtures of every folder are made of."""
import contextlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "services/tools"))

from control_plane import ControlPlane  # noqa: E402

API = ("etcd", "kube-apiserver")
ALL = (*API, "kube-controller-manager", "kube-scheduler")


@contextlib.contextmanager
def running(folder, names=API, extra=None):
    """Those processes with everything below `folder`; `extra` holds more flags by process."""
    plane = ControlPlane(folder)
    plane.make()
    try:
        for name in names:
            plane.start_one(name, (extra or {}).get(name, ()))
        yield plane
    finally:
        plane.stop()
