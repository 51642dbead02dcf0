"""The archive that only a launcher appends to the initrd: a shell behind a virtio port, as a service of s6."""
import tree

RUN = b"""#!/run/coracle/extra/bin/sh
export PATH=/run/coracle/extra/bin:/bin
for port in /sys/class/virtio-ports/*; do
	[ "$(cat "$port/name")" = io.coracle.agent ] || continue
	exec sh <>"/dev/${port##*/}" >&0 2>&1
done
exec sleep 1000000
"""


def entries(packages):
    """Everything below /extra, which stage 1 keeps at /run/coracle/extra: services/NAME and bin."""
    busybox = packages.folder("busybox")
    applets = sorted((busybox / "applets").read_text().split())
    yield tree.Entry("/extra", "dir")
    yield tree.Entry("/extra/bin", "dir")
    for name in applets:
        content = (busybox / "bin/busybox").read_bytes() if name == "busybox" else b""
        yield tree.Entry(f"/extra/bin/{name}", *(("file",) if content else ("link",)), content=content,
                         target="" if content else "busybox")
    yield tree.Entry("/extra/services", "dir")
    yield tree.Entry("/extra/services/agent", "dir")
    yield tree.Entry("/extra/services/agent/run", "file", content=RUN)
