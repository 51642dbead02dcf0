"""Lists in chunks, and watches, after upstream's conformance tests of the same names."""
import threading

import pytest
from client import Client, Refused
from cluster import running

OBJECTS, CHUNK = 40, 17


@pytest.fixture
def configs(namespace):
    return f"/api/v1/namespaces/{namespace}/configmaps"


def config(name, label="a", **data):
    return {"metadata": {"name": name, "labels": {"watch": label}}, "data": data}


def told(watch, count):
    return [(event["type"], event["object"]["metadata"]["name"], event["object"].get("data", {}).get("n"))
            for event in (watch.next() for _ in range(count))]


def test_servers_with_support_for_api_chunking_should_return_chunks_of_results_for_list_calls(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/podtemplates"
    containers = [{"name": "c", "image": "registry.test/c:1"}]
    for number in range(OBJECTS):
        whole.post(path, {"metadata": {"name": f"t-{number:02}"}, "template": {"spec": {"containers": containers}}})
    names, token, version, left = [], "", None, OBJECTS
    while left:
        page = whole.get(f"{path}?limit={CHUNK}&continue={token}")
        names += [one["metadata"]["name"] for one in page["items"]]
        left -= len(page["items"])
        assert version in (None, page["metadata"]["resourceVersion"])
        version, token = page["metadata"]["resourceVersion"], page["metadata"].get("continue", "")
        assert page["metadata"].get("remainingItemCount", 0) == left and bool(token) == bool(left)
        whole.patch(f"{path}/t-00", {"metadata": {"labels": {"left": str(left)}}})
    assert names == [f"t-{number:02}" for number in range(OBJECTS)]
    assert len(whole.get(path)["items"]) == OBJECTS
    with pytest.raises(Refused) as caught:
        whole.get(f"{path}?limit=1&continue=nonsense")
    assert caught.value.status == 400


def test_watchers_should_observe_add_update_and_delete_watch_notifications_on_configmaps(whole, configs):
    version = whole.get(configs)["metadata"]["resourceVersion"]
    watches = {label: whole.watch(configs, f"resourceVersion={version}&labelSelector=watch+in+({label})")
               for label in ("a", "b", "a,b")}
    for label in ("a", "b"):
        whole.post(configs, config(label, label, n="1"))
        whole.patch(f"{configs}/{label}", {"data": {"n": "2"}})
        whole.delete(f"{configs}/{label}")
    own = {label: [("ADDED", label, "1"), ("MODIFIED", label, "2"), ("DELETED", label, "2")] for label in ("a", "b")}
    assert told(watches["a"], 3) == own["a"]
    assert told(watches["b"], 3) == own["b"]
    assert told(watches["a,b"], 6) == own["a"] + own["b"]
    for watch in watches.values():
        watch.close()


def test_watchers_should_be_able_to_start_watching_from_a_specific_resource_version(whole, configs):
    whole.post(configs, config("x", n="0"))
    first = whole.patch(f"{configs}/x", {"data": {"n": "1"}})
    whole.patch(f"{configs}/x", {"data": {"n": "2"}})
    whole.delete(f"{configs}/x")
    watch = whole.watch(configs, f"resourceVersion={first['metadata']['resourceVersion']}")
    assert told(watch, 2) == [("MODIFIED", "x", "2"), ("DELETED", "x", "2")]
    watch.close()


def test_watchers_should_be_able_to_restart_watching_from_the_last_resource_version_observed(whole, configs):
    version = whole.get(configs)["metadata"]["resourceVersion"]
    watch = whole.watch(configs, f"resourceVersion={version}")
    whole.post(configs, config("x", n="0"))
    whole.patch(f"{configs}/x", {"data": {"n": "1"}})
    watch.next()
    last = watch.next()["object"]["metadata"]["resourceVersion"]
    watch.close()
    whole.patch(f"{configs}/x", {"data": {"n": "2"}})
    whole.delete(f"{configs}/x")
    watch = whole.watch(configs, f"resourceVersion={last}")
    assert told(watch, 2) == [("MODIFIED", "x", "2"), ("DELETED", "x", "2")]
    watch.close()


def test_watchers_should_observe_an_object_deletion_if_it_stops_meeting_the_requirements_of_the_selector(whole, configs):
    version = whole.get(configs)["metadata"]["resourceVersion"]
    watch = whole.watch(configs, f"resourceVersion={version}&labelSelector=watch%3Da")
    whole.post(configs, config("x", n="0"))
    whole.patch(f"{configs}/x", {"metadata": {"labels": {"watch": "other"}}})
    whole.patch(f"{configs}/x", {"data": {"n": "1"}})
    whole.patch(f"{configs}/x", {"metadata": {"labels": {"watch": "a"}}})
    whole.delete(f"{configs}/x")
    assert told(watch, 4) == [("ADDED", "x", "0"), ("DELETED", "x", "0"), ("ADDED", "x", "1"), ("DELETED", "x", "1")]
    watch.close()


def test_watchers_should_receive_events_on_concurrent_watches_in_same_order(whole, configs):
    version = whole.get(configs)["metadata"]["resourceVersion"]
    writers = [threading.Thread(target=write, args=(whole, configs, number)) for number in range(4)]
    for writer in writers:
        writer.start()
    watch = whole.watch(configs, f"resourceVersion={version}")
    versions = [event["object"]["metadata"]["resourceVersion"] for event in (watch.next() for _ in range(4 * 15))]
    watch.close()
    for writer in writers:
        writer.join()
    assert versions == sorted(versions, key=int) and len(set(versions)) == len(versions)
    for start in (0, 7, 30, 58):
        watch = whole.watch(configs, f"resourceVersion={versions[start]}")
        rest = [watch.next()["object"]["metadata"]["resourceVersion"] for _ in versions[start + 1:]]
        assert rest == versions[start + 1:]
        watch.close()


def write(api, configs, number):
    """Fifteen events."""
    for turn in range(5):
        name = f"w{number}-{turn}"
        api.post(configs, config(name))
        api.patch(f"{configs}/{name}", {"data": {"n": "1"}})
        api.delete(f"{configs}/{name}")


def test_chunks_should_continue_listing_from_the_last_key_if_the_original_version_has_been_compacted_away(tmp_path):
    """A server that has just started holds no history, so that what etcd has dropped is gone."""
    with running(tmp_path / "cp") as plane:
        api, path = Client(plane.kubeconfig), "/api/v1/namespaces/default/configmaps"
        for number in range(10):
            api.post(path, config(f"c-{number}"))
        token = api.get(f"{path}?limit=4")["metadata"]["continue"]
        last = api.patch(f"{path}/c-9", {"data": {"later": "yes"}})["metadata"]["resourceVersion"]
        plane.processes["kube-apiserver"].stop()
        plane.etcdctl("compact", last)
        plane.start_one("kube-apiserver")
        with pytest.raises(Refused) as caught:
            api.get(f"{path}?limit=4&continue={token}")
        assert caught.value.status == 410 and caught.value.body["reason"] == "Expired"
        rest = api.get(f"{path}?continue={caught.value.body['metadata']['continue']}")
        assert [one["metadata"]["name"] for one in rest["items"]] == [f"c-{number}" for number in range(4, 10)]
        assert int(rest["metadata"]["resourceVersion"]) >= int(last) and "continue" not in rest["metadata"]
