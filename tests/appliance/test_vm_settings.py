"""Settings that are wrong: the screen says which, from where, what for; nothing half-starts; corrected, it starts."""
from machine_options import Options
from run import state_disk
from vm import Machine

SHOWN_S = 60


def services(machine):
    return machine.shell("for one in /run/service/*; do s6-svstat -o up $one; done; ls /run/service")[1].split()


def test_wrong_settings_start_nothing_and_corrected_ones_do(images, tmp_path):
    state = state_disk(tmp_path / "state.img")
    wrong = Options(state=state, agent=True, cmdline="coracle.role=captain coracle.nonsense=1",
                    config={"node-name": "Not_A_Name"})
    with Machine(tmp_path / "vm", wrong) as machine:
        for text in (
            r"WRONG: there is no setting coracle\.nonsense, which stands in the kernel command line",
            r"WRONG: coracle\.role=captain from the kernel command line is wrong: it has to be master, node or "
            r"master,node; for example coracle\.role=master",
            r"WRONG: coracle\.node-name=Not_A_Name from the fw_cfg file is wrong: it has to be a lower-case DNS name; "
            r"for example coracle\.node-name=boat-1",
            r"nothing of the cluster was started; set it right and restart",
        ):
            machine.wait_serial(text, SHOWN_S)
        assert "etcd" in services(machine) and services(machine).count("true") == 3  # agent, setup, status
        assert machine.shell("ls /etc/kubernetes; grep -c CORACLE /proc/mounts")[1].split() == ["0"]
        assert machine.stop(20)
    right = Options(state=state, agent=True, config={"node-name": "boat-7", "names": "boat.example.org"})
    with Machine(tmp_path / "vm", right) as machine:
        machine.wait_ready()
        assert machine.shell("hostname")[1].strip() == "boat-7"
        assert machine.stop(20)
    with Machine(tmp_path / "vm", Options(state=state, agent=True)) as machine:  # kept from the first boot
        machine.wait_ready()
        assert machine.shell("hostname")[1].strip() == "boat-7"
        machine.wait_serial(r"node boat-7  role master,node", SHOWN_S)


def test_a_named_disk_that_holds_something_is_not_touched(images, tmp_path):
    state = state_disk(tmp_path / "state.img")
    with open(state, "r+b") as disk:
        disk.seek(5000)
        disk.write(b"somebody's work")
    with Machine(tmp_path / "vm", Options(state=state, agent=True, cmdline="coracle.state=/dev/vdb")) as machine:
        machine.wait_serial(r"WRONG: coracle\.state=/dev/vdb holds something else; take an empty disk", SHOWN_S)
        assert machine.stop(20)
    with open(state, "rb") as disk:
        assert disk.read(5015) == bytes(5000) + b"somebody's work"


def test_the_role_of_a_node_alone_says_that_it_is_not_built(images, tmp_path):
    with Machine(tmp_path / "vm", Options(agent=True, cmdline="coracle.role=node")) as machine:
        machine.wait_serial("note: the role node is not built yet: nothing is started", SHOWN_S)
        assert machine.shell("s6-svstat -o up,wantedup /run/service/etcd")[1].split() == ["false", "false"]
