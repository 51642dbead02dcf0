"""The machine ends in order within 20 s, by its power button and when it is asked from inside."""
import pytest
from machine_options import Options
from run import state_disk
from vm import Machine

END_S = 20


@pytest.mark.parametrize("how", ["button", "poweroff", "reboot"])
def test_it_ends_in_order(images, tmp_path, how):
    options = Options(state=state_disk(tmp_path / "state.img"), agent=True)
    with Machine(tmp_path / "vm", options) as machine:
        machine.wait_ready()
        if how == "button":
            machine.power_button()
        else:
            machine.shell(f"kill -{'USR2' if how == 'poweroff' else 'TERM'} 1")
        assert machine.wait_end(END_S)
        said = machine.serial()
        assert f"coracle: {'restarting' if how == 'reboot' else 'power off'}" in said
        off = [said.rindex(f"{name} ") for name in ("kube-apiserver            off", "etcd                      off")
               if f"{name} " in said]
        assert off == sorted(off)
    with open(options.state, "rb") as disk:
        disk.seek(1024 + 58)
        assert disk.read(2) == b"\1\0"  # s_state of ext4: unmounted cleanly
        disk.seek(1024 + 96)
        assert not disk.read(1)[0] & 4  # no journal to be replayed
