"""The network comes and goes; nothing waits for it, and certificates follow the addresses."""
import ssl

from machine_options import API_PORT, Options
from vm import Machine

SHOWN_S = 60


def names(machine):
    """The text of the API server's certificate, as it is shown now."""
    pem = ssl.get_server_certificate(("127.0.0.1", machine.forwarded(API_PORT)))
    return ssl.PEM_cert_to_DER_cert(pem)


def test_dhcp_is_absent_then_there(images, tmp_path):
    """The cable is out at the start: everything is ready all the same, and with the cable comes the address."""
    with Machine(tmp_path / "vm", Options(agent=True, paused=True)) as machine:
        machine.monitor("set_link net0 off")
        machine.command("cont")
        machine.wait_ready()
        machine.wait_serial("note: no address yet", SHOWN_S)
        before = machine.shell("cat /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/sa.pub | md5sum")[1]
        ca = machine.shell("md5sum /etc/kubernetes/pki/ca.crt /etc/kubernetes/pki/sa.pub /etc/machine-id")[1]
        machine.monitor("set_link net0 on")
        machine.wait_serial(r"^addresses 10\.0\.2\.15", SHOWN_S)
        machine.wait_serial("to administer it, once: coraclectl kubeconfig https://10.0.2.15", SHOWN_S)
        assert bytes([10, 0, 2, 15]) in names(machine)
        assert machine.shell("cat /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/sa.pub | md5sum")[1] != before
        assert machine.shell("md5sum /etc/kubernetes/pki/ca.crt /etc/kubernetes/pki/sa.pub /etc/machine-id")[1] == ca


def test_a_fixed_address(images, tmp_path):
    settings = {"address": "10.0.2.77/24", "gateway": "10.0.2.2", "dns": "10.0.2.3"}
    with Machine(tmp_path / "vm", Options(agent=True, config=settings)) as machine:
        machine.wait_ready()
        machine.wait_serial(r"^addresses 10\.0\.2\.77", SHOWN_S)
        assert "default via 10.0.2.2" in machine.shell("ip route")[1]
        assert machine.shell("cat /etc/resolv.conf")[1].strip() == "nameserver 10.0.2.3"
        assert "udhcpc" not in machine.shell("ls /run/service")[1]
