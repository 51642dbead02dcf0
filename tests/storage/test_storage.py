"""The storage over a real etcd: keys and values, watches, what becomes of both when etcd goes away."""
import subprocess
import time

import pytest
from etcd_member import ROOT, ControlPlane, Storage, free_ports

PODS = "core/v1/pods"
CHURN_S = 6


def pod(name="a", namespace="default", **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"x": "y"}},
            "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def event(name):
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"},
            "involvedObject": {"kind": "Pod", "name": "a"}, "reason": "Tested"}


def test_an_object_lies_where_upstream_has_it(etcd, storage):
    revision = int(storage("create", PODS, stdin=pod()))
    value, mod_revision, version = etcd.get("/registry/pods/default/a")
    assert value.startswith(b"k8s\0\n\t\n\x02v1\x12\x03Pod\x12")
    assert b"resourceVersion" not in value
    assert (mod_revision, version) == (revision, 1)
    storage("create", "coordination.k8s.io/v1/leases",
            stdin={"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l", "namespace": "n"}})
    assert etcd.get("/registry/leases/n/l")
    storage("create", "core/v1/nodes", stdin={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}})
    assert etcd.get("/registry/minions/n1")
    storage("create", "apiregistration.k8s.io/v1/apiservices", stdin={
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.x"}})
    value = etcd.get("/registry/apiregistration.k8s.io/apiservices/v1.x")[0]
    assert value.startswith(b'{"kind":"APIService","apiVersion":"apiregistration.k8s.io/v1","metadata":{')
    assert value.endswith(b"}\n")


@pytest.mark.parametrize("given", ["/other", "other/", "//other//"])
def test_another_prefix_has_one_slash_on_either_side(etcd, given):
    storage = Storage(etcd.url, "--prefix", given)
    storage("create", PODS, stdin=pod())
    assert etcd.get("/other/pods/default/a")
    assert storage("list", PODS).splitlines()[0].endswith("default/a")
    assert Storage(etcd.url)("list", PODS).startswith("0 at ")


def test_both_groups_of_events_share_their_keys(storage):
    storage("create", "core/v1/events", stdin=event("one"))
    assert storage("list", "events.k8s.io/v1/events").split()[1] == "default/one"


def test_create_of_what_is_there_is_refused(storage):
    storage("create", PODS, stdin=pod())
    done = storage.run("create", PODS, stdin=pod())
    assert done.returncode == 1 and '"a" already exists' in done.stderr


def test_an_object_is_defaulted_and_stamped(storage):
    revision = storage("create", PODS, stdin=pod()).strip()
    text = storage("get", PODS, "default/a")
    assert f'"resourceVersion":"{revision}"' in text
    assert '"restartPolicy":"Always"' in text
    line = storage("json", PODS).splitlines()[0]
    assert line == f"{revision} default/a " + text.strip().replace('"kind":"Pod","apiVersion":"v1",', "")


def test_an_update_that_changes_nothing_is_not_written(etcd, storage):
    storage("create", PODS, stdin=pod())
    # The first write lacks the defaults that the cache adds: an update writes them, the next has nothing to do.
    changed = storage("replace", PODS, stdin=storage("get", PODS, "default/a"))
    again = storage("replace", PODS, stdin=storage("get", PODS, "default/a"))
    assert changed == again
    assert etcd.get("/registry/pods/default/a")[1] == int(again)
    assert int(storage("replace", PODS, stdin=pod(nodeName="n"))) > int(again)


def test_what_is_not_there(storage):
    done = storage.run("get", PODS, "default/none")
    assert done.returncode == 1 and '"none" not found' in done.stderr
    assert storage("list", PODS).startswith("0 at ")


def test_lists_come_in_the_order_of_keys_and_by_namespace(storage):
    for namespace in ("a", "a-b", "ab"):
        for name in ("x", "x-1", "y"):
            storage("create", PODS, stdin=pod(name, namespace))
    keys = [line.split()[1] for line in storage("list", PODS).splitlines()[:-1]]
    assert keys == sorted(keys) and len(keys) == 9
    assert keys[:3] == ["a-b/x", "a-b/x-1", "a-b/y"]
    lines = storage("list", PODS, "a").splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["a/x", "a/x-1", "a/y"]
    assert lines[-1].startswith("3 at ")


def test_a_value_that_cannot_be_decoded_is_not_served(etcd, storage):
    storage("create", PODS, stdin=pod("good"))
    for name, value in (("garbage", "no object"), ("cut", "k8s\0\n\t\n"), ("json", '{"kind":"Pod"'), ("blank", " ")):
        etcd.ctl("put", f"/registry/pods/default/{name}", stdin=value.encode())
        done = storage.run("get", PODS, f"default/{name}")
        assert done.returncode == 1 and f"unable to decode /registry/pods/default/{name}" in done.stderr
    etcd.ctl("put", "/registry/pods/default/other", '{"apiVersion":"v1","kind":"Secret"}')
    assert "no kind Secret" in storage.run("get", PODS, "default/other").stderr
    assert storage("list", PODS).splitlines()[0].endswith("default/good")
    assert storage("list", PODS).splitlines()[-1].startswith("1 at ")


def test_a_value_in_json_is_served_where_protobuf_is_written(etcd, storage):
    etcd.ctl("put", "/registry/configmaps/n/c",
             '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"n"},"data":{"k":"v"}}')
    assert '"data":{"k":"v"}' in storage("get", "core/v1/configmaps", "n/c")


def test_keys_of_others_are_left_alone(etcd, storage):
    for key in ("/registry/unknown/a", "/registry/pods/a", "/registry/pods/a/b/c", "/registry/pods/default/",
                "/registry/minions/n/m", "/registry/services/what/a/b", "/registryy/pods/a/b", "/registry/ranges/serviceips"):
        etcd.ctl("put", key, "x")
    assert storage("list", PODS).startswith("0 at ")
    assert storage("list", "core/v1/nodes").startswith("0 at ")


def test_a_watch_tells_each_event_once(etcd, storage):
    first = storage("create", PODS, stdin=pod("before")).strip()
    with_list = storage.watch(PODS, 0)
    assert with_list.until_synced() == [f"ADDED {first} default/before"]
    created = storage("create", PODS, stdin=pod()).strip()
    assert with_list.line() == f"ADDED {created} default/a"
    changed = storage("replace", PODS, stdin=pod(nodeName="n")).strip()
    assert with_list.line() == f"MODIFIED {changed} default/a"
    etcd.ctl("put", "/registry/pods/default/a", "no object")
    assert with_list.line() == f"DELETED {etcd.revision()} default/a"
    deleted = storage("delete", PODS, "default/before").strip()
    assert with_list.line() == f"DELETED {deleted} default/before"
    assert with_list.close() == []


def test_a_watch_from_before_the_cache_began_is_gone(storage):
    storage("create", PODS, stdin=pod())
    storage("create", PODS, stdin=pod("b"))
    done = storage.run("watch", PODS, "1")
    assert done.returncode == 1 and "too old resource version: 1" in done.stderr


def test_what_has_a_time_to_live_ends(etcd, storage):
    watch = storage.watch("core/v1/events", 0)
    watch.until_synced()
    storage("create", "core/v1/events", "1", stdin=event("short"))
    storage("create", "core/v1/events", "3600", stdin=event("long"))
    assert [watch.line().split()[0::2] for _ in range(3)] == [
        ["ADDED", "default/short"], ["ADDED", "default/long"], ["DELETED", "default/short"]]
    watch.close()
    leases = etcd.ctl("lease", "list").split()[-1].decode()
    assert b"granted with TTL(3660s)" in etcd.ctl("lease", "timetolive", leases)


def test_objects_are_as_large_as_etcd_takes_them(storage):
    def config_map(name, length):
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"},
                "data": {"k": "v" * length}}

    # More than one answer of etcd may hold: the cache fills in smaller pages.
    for i in range(55):
        storage("create", "core/v1/configmaps", stdin=config_map(f"large-{i}", 1_400_000))
    assert storage("list", "core/v1/configmaps").splitlines()[-1].startswith("55 at ")
    done = storage.run("create", "core/v1/configmaps", stdin=config_map("too-large", 1_600_000))
    assert done.returncode == 1 and "request is too large" in done.stderr


def test_etcd_that_does_not_answer_is_an_error_in_time(etcd):
    storage = Storage(f"http://127.0.0.1:{free_ports(1)[0]}", "--tries", "1")
    began = time.monotonic()
    done = storage.run("list", PODS)
    assert done.returncode == 1 and "storage is (re)initializing" in done.stderr
    assert time.monotonic() - began < 10


def test_the_second_endpoint_serves_when_the_first_is_dead(etcd):
    storage = Storage(f"http://127.0.0.1:{free_ports(1)[0]},http://localhost:{etcd.client_port}")
    storage("create", PODS, stdin=pod())
    assert storage("list", PODS).splitlines()[0].endswith("default/a")


def test_etcd_behind_tls_wants_to_see_a_certificate(tmp_path):
    plane = ControlPlane(tmp_path / "plane")
    plane.make()
    plane.start(["etcd"])
    try:
        url, pki = f"https://127.0.0.1:{plane.etcd_port}", plane.pki
        trusted = ["--tries", "1", "--cafile", pki / "etcd/ca.crt"]
        shown = ["--certfile", pki / "apiserver-etcd-client.crt", "--keyfile", pki / "apiserver-etcd-client.key"]
        storage = Storage(url, *trusted, *shown)
        storage("create", PODS, stdin=pod())
        assert storage("list", PODS).splitlines()[0].endswith("default/a")
        assert Storage(url, *trusted).run("list", PODS).returncode == 1
        assert Storage(url, "--tries", "1", "--cafile", pki / "ca.crt", *shown).run("list", PODS).returncode == 1
        assert "needs a CA file" in Storage(url, "--tries", "1").run("list", PODS).stderr
    finally:
        plane.stop()


def test_old_revisions_are_compacted_by_turns(etcd, storage):
    first = int(storage("create", PODS, stdin=pod()))
    watch = Storage(etcd.url, "--compact", "yes").watch("core/v1/events", 0)
    watch.until_synced()
    other = etcd_watch(etcd, "compact_rev_key")
    assert other.count_puts(3) == 3
    other.end()
    storage("replace", PODS, stdin=pod(nodeName="n"))
    watch.close()
    value, _, version = etcd.get("compact_rev_key")
    assert version >= 3 and int(value) >= first
    with pytest.raises(AssertionError, match="required revision has been compacted"):
        etcd.ctl("get", "/registry/pods/default/a", "--rev", str(first - 1))


class etcd_watch:
    """etcdctl watch: how often a key is written."""

    def __init__(self, etcd, key):
        self.process = subprocess.Popen([etcd.bin / "etcdctl", "--endpoints", f"127.0.0.1:{etcd.port}", "watch", key],
                                        stdout=subprocess.PIPE, text=True)

    def count_puts(self, wanted):
        puts = 0
        while puts < wanted and (line := self.process.stdout.readline()):
            puts += line.strip() == "PUT"
        return puts

    def end(self):
        self.process.terminate()
        self.process.communicate()


class Churn:
    """storage_churn: 50 writers, 40 watchers, and its proof."""

    def __init__(self, etcd, seconds=CHURN_S, writers=50, watchers=40, build="dev"):
        self.process = subprocess.Popen(
            [ROOT / f"out/{build}/bin/storage_churn", etcd.url, str(seconds), str(writers), str(watchers)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait_for(self, text):
        while line := self.process.stdout.readline():
            if text in line:
                return
        raise AssertionError(f"it never said {text!r}")

    def result(self):
        out = self.process.communicate(timeout=120)[0]
        assert self.process.returncode == 0, out
        assert out.splitlines()[-1].startswith("good: "), out
        words = out.splitlines()[-1].split()
        return {"acknowledged": int(words[1]), "refused": int(words[4]), "begun_again": int(words[8])}


def test_no_event_is_lost_or_doubled_under_fifty_writers(etcd):
    result = Churn(etcd, seconds=3).result()
    assert result["acknowledged"] > 1000
    assert result["refused"] == result["begun_again"] == 0


def test_no_event_is_lost_when_etcd_is_killed(etcd):
    churn = Churn(etcd)
    churn.wait_for("begun")
    for _ in range(3):
        etcd.kill()
        churn.wait_for("Connection refused")
        etcd.start()
        churn.wait_for("connected")
    result = churn.result()
    assert result["acknowledged"] > 1000 and result["begun_again"] == 0


def test_watches_begin_again_when_what_they_missed_is_compacted(etcd):
    churn = Churn(etcd)
    churn.wait_for("begun")
    etcd.kill()
    churn.wait_for("Connection refused")
    etcd.start(hidden=True)
    etcd.ctl("put", "/registry/pods/churn/pod-0-0", "no object")
    etcd.ctl("put", "/registry/pods/churn/pod-0-0", "no object either")
    etcd.ctl("compact", str(etcd.revision()))
    etcd.kill()
    etcd.start()
    churn.wait_for("reading all again")
    etcd.ctl("del", "/registry/pods/churn/pod-0-0")
    assert churn.result()["begun_again"] == 40
