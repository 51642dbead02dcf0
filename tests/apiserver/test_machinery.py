"""API machinery over HTTP: reads, watches, writes, their refusals."""
import pytest
from client import Client, Refused
from cluster import running


def config(name, **data):
    return {"metadata": {"name": name}, "data": data}


def refused(call, *args, **more):
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value


def test_create_get_update_delete(api, ns):
    made = api.post(f"{ns}/configmaps", config("a", x="1"))
    assert made["metadata"]["uid"] and made["metadata"]["resourceVersion"]
    assert api.get(f"{ns}/configmaps/a") == made
    made["data"]["x"] = "2"
    changed = api.put(f"{ns}/configmaps/a", made)
    assert changed["data"] == {"x": "2"}
    assert changed["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    old = refused(api.put, f"{ns}/configmaps/a", made)
    assert old.status == 409 and old.body["reason"] == "Conflict"
    assert "the object has been modified; please apply your changes to the latest version" in old.body["message"]
    gone = api.delete(f"{ns}/configmaps/a")
    assert gone["kind"] == "Status" and gone["status"] == "Success"
    assert gone["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    missing = refused(api.get, f"{ns}/configmaps/a")
    assert missing.body["message"] == 'configmaps "a" not found' and missing.body["code"] == 404


def test_names_are_generated(api, ns):
    made = [api.post(f"{ns}/configmaps", {"metadata": {"generateName": "x-"}}) for _ in range(3)]
    names = {one["metadata"]["name"] for one in made}
    assert len(names) == 3 and all(len(name) == len("x-") + 5 for name in names)


def test_nothing_is_written_in_a_dry_run(api, ns):
    api.post(f"{ns}/configmaps?dryRun=All", config("a"))
    assert refused(api.get, f"{ns}/configmaps/a").status == 404
    api.post(f"{ns}/configmaps", config("a"))
    assert refused(api.post, f"{ns}/configmaps?dryRun=All", config("a")).status == 409
    api.delete(f"{ns}/configmaps/a?dryRun=All")
    assert api.get(f"{ns}/configmaps/a")
    assert refused(api.post, f"{ns}/configmaps?dryRun=Some", config("b")).status == 422


def test_field_validation(api, ns):
    body = {**config("a"), "daata": {}}
    strict = refused(api.post, f"{ns}/configmaps?fieldValidation=Strict", body)
    assert strict.status == 400
    assert strict.body["message"] == ('ConfigMap in version "v1" cannot be handled as a ConfigMap: '
                                      'strict decoding error: unknown field "daata"')
    warned = api.ask("POST", f"{ns}/configmaps", body)
    assert warned.status == 201 and warned.headers["Warning"] == '299 - "unknown field \\"daata\\""'
    ignored = api.ask("POST", f"{ns}/configmaps?fieldValidation=Ignore", {**body, "metadata": {"name": "b"}})
    assert ignored.status == 201 and "Warning" not in ignored.headers


@pytest.mark.parametrize("kind,body,data", [
    ("merge", {"data": {"a": None, "b": "2"}}, {"b": "2"}),
    ("strategic-merge", {"data": {"b": "2"}}, {"a": "1", "b": "2"}),
    ("json", [{"op": "replace", "path": "/data/a", "value": "9"}], {"a": "9"}),
])
def test_patches(api, ns, kind, body, data):
    api.post(f"{ns}/configmaps", config("a", a="1"))
    assert api.patch(f"{ns}/configmaps/a", body, kind)["data"] == data


def test_patches_that_do_not_apply(api, ns):
    api.post(f"{ns}/configmaps", config("a"))
    assert refused(api.patch, f"{ns}/configmaps/a", [{"op": "remove", "path": "/data/no"}], "json").status == 422
    assert refused(api.patch, f"{ns}/configmaps/a", [], "other").status == 415
    wrong = refused(api.patch, f"{ns}/configmaps/a", {"metadata": {"resourceVersion": "1"}})
    assert wrong.status == 409
    assert refused(api.patch, f"{ns}/configmaps/nobody", {}).status == 404


def test_lists_come_in_pages(api, ns):
    for number in range(5):
        api.post(f"{ns}/configmaps", config(f"c{number}"))
    first = api.get(f"{ns}/configmaps?limit=2")
    assert [item["metadata"]["name"] for item in first["items"]] == ["c0", "c1"]
    assert first["metadata"]["remainingItemCount"] == 3
    api.delete(f"{ns}/configmaps/c3")
    second = api.get(f"{ns}/configmaps?limit=2&continue={first['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in second["items"]] == ["c2", "c3"], "a page is of one moment"
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    last = api.get(f"{ns}/configmaps?limit=2&continue={second['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in last["items"]] == ["c4"]
    assert "continue" not in last["metadata"]
    assert refused(api.get, f"{ns}/configmaps?continue=x").status == 400


def test_selectors(api, ns):
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        api.post(f"{ns}/configmaps", {"metadata": {"name": name, "labels": {"l": label}}})

    def names(query):
        return [item["metadata"]["name"] for item in api.get(f"{ns}/configmaps?{query}")["items"]]

    assert names("labelSelector=l%3Dx") == ["a", "c"]
    assert names("labelSelector=l+notin+(x)") == ["b"]
    assert names("fieldSelector=metadata.name%3Db") == ["b"]
    assert names("fieldSelector=metadata.name!%3Db") == ["a", "c"]
    assert names("fieldSelector=metadata.name%3Dnobody") == []
    unknown = refused(api.get, f"{ns}/configmaps?fieldSelector=data%3Db")
    assert unknown.status == 400 and unknown.body["message"] == "field label not supported: data"


def test_resource_versions_of_lists(api, ns):
    before = api.post(f"{ns}/configmaps", config("a"))["metadata"]["resourceVersion"]
    api.post(f"{ns}/configmaps", config("b"))
    exact = api.get(f"{ns}/configmaps?resourceVersion={before}&resourceVersionMatch=Exact")
    assert [item["metadata"]["name"] for item in exact["items"]] == ["a"]
    assert exact["metadata"]["resourceVersion"] == before
    newer = api.get(f"{ns}/configmaps?resourceVersion={before}&resourceVersionMatch=NotOlderThan")
    assert len(newer["items"]) == 2
    assert len(api.get(f"{ns}/configmaps?resourceVersion=0")["items"]) == 2
    assert refused(api.get, f"{ns}/configmaps?resourceVersionMatch=Exact").status == 422
    future = refused(api.get, f"{ns}/configmaps?resourceVersion=99999999")
    assert future.status == 504
    assert future.body["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_a_watch_tells_everything_in_order(api, ns):
    start = api.get(f"{ns}/configmaps")["metadata"]["resourceVersion"]
    watch = api.watch(f"{ns}/configmaps", f"resourceVersion={start}")
    made = api.post(f"{ns}/configmaps", config("a"))
    changed = api.patch(f"{ns}/configmaps/a", {"data": {"x": "1"}})
    api.delete(f"{ns}/configmaps/a")
    events = watch.until("DELETED")
    watch.close()
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert events[0]["object"] == made and events[1]["object"] == changed
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))


def test_a_selector_turns_changes_into_coming_and_going(api, ns):
    start = api.get(f"{ns}/configmaps")["metadata"]["resourceVersion"]
    watch = api.watch(f"{ns}/configmaps", f"resourceVersion={start}&labelSelector=l%3Dx")
    api.post(f"{ns}/configmaps", config("a"))
    api.patch(f"{ns}/configmaps/a", {"metadata": {"labels": {"l": "x"}}})
    api.patch(f"{ns}/configmaps/a", {"metadata": {"labels": {"l": "y"}}})
    events = watch.until("DELETED")
    watch.close()
    assert [event["type"] for event in events] == ["ADDED", "DELETED"]
    assert events[1]["object"]["metadata"]["labels"] == {"l": "x"}, "it goes with its last matching state"


def test_initial_events_end_with_a_bookmark(api, ns):
    api.post(f"{ns}/configmaps", config("a"))
    watch = api.watch(f"{ns}/configmaps", "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
                                          "allowWatchBookmarks=true")
    events = watch.until("BOOKMARK")
    watch.close()
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert events[1]["object"]["kind"] == "ConfigMap"


def test_a_watch_ends_at_its_timeout(api, ns):
    watch = api.watch(f"{ns}/configmaps", "timeoutSeconds=1")
    assert watch.next() is None


def test_a_watch_from_before_a_restart_is_told_so(plane, api, ns):
    """The history of events begins with the process; watches end in order, objects stay."""
    made = api.post(f"{ns}/configmaps", config("a"))
    watch = api.watch(f"{ns}/configmaps", f"resourceVersion={made['metadata']['resourceVersion']}")
    plane.processes["kube-apiserver"].stop()
    assert watch.next() is None
    plane.start_one("kube-apiserver")
    assert api.get(f"{ns}/configmaps/a") == made
    watch = api.watch(f"{ns}/configmaps", "resourceVersion=1")
    event = watch.next()
    assert event["type"] == "ERROR" and event["object"]["code"] == 410 and event["object"]["reason"] == "Expired"
    assert event["object"]["apiVersion"] == "v1"
    assert watch.next() is None


def test_finalizers_keep_an_object(api, ns):
    api.post(f"{ns}/configmaps", {"metadata": {"name": "a", "finalizers": ["example.com/f"]}})
    api.delete(f"{ns}/configmaps/a")
    kept = api.get(f"{ns}/configmaps/a")
    assert kept["metadata"]["deletionTimestamp"] and kept["metadata"]["deletionGracePeriodSeconds"] == 0
    api.patch(f"{ns}/configmaps/a", {"metadata": {"finalizers": None}})
    assert refused(api.get, f"{ns}/configmaps/a").status == 404


@pytest.mark.parametrize("policy,finalizer", [("Orphan", "orphan"), ("Foreground", "foregroundDeletion")])
def test_propagation_is_a_finalizer(api, ns, policy, finalizer):
    api.post(f"{ns}/configmaps", config("a"))
    api.delete(f"{ns}/configmaps/a", {"propagationPolicy": policy})
    assert api.get(f"{ns}/configmaps/a")["metadata"]["finalizers"] == [finalizer]


def test_preconditions_of_a_deletion(api, ns):
    made = api.post(f"{ns}/configmaps", config("a"))
    wrong = refused(api.delete, f"{ns}/configmaps/a", {"preconditions": {"uid": "other"}})
    assert wrong.status == 409 and "the UID in the precondition (other) does not match" in wrong.body["message"]
    api.delete(f"{ns}/configmaps/a", {"preconditions": {"uid": made["metadata"]["uid"]}})


def test_collections_are_deleted_by_selector(api, ns):
    for name, label in (("a", "x"), ("b", "y")):
        api.post(f"{ns}/configmaps", {"metadata": {"name": name, "labels": {"l": label}}})
    gone = api.delete(f"{ns}/configmaps?labelSelector=l%3Dx")
    assert gone["kind"] == "ConfigMapList" and [item["metadata"]["name"] for item in gone["items"]] == ["a"]
    assert [item["metadata"]["name"] for item in api.get(f"{ns}/configmaps")["items"]] == ["b"]


def test_errors_of_requests(api, ns):
    assert api.ask("GET", "/apis/nobody/v1/things").status == 404
    assert api.ask("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas").status == 404
    assert api.ask("PUT", f"{ns}/configmaps", {}).status == 405
    assert api.ask("GET", f"{ns}/configmaps", Accept="text/html").status == 406
    assert api.ask("POST", f"{ns}/configmaps", "x", Content_Type="text/plain").status == 415
    assert api.ask("POST", f"{ns}/configmaps", b" " * (3 * 1024 * 1024 + 1)).status == 413
    wrong = refused(api.post, f"{ns}/configmaps", {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}})
    assert wrong.status == 400
    elsewhere = refused(api.post, f"{ns}/configmaps", {"metadata": {"name": "a", "namespace": "other"}})
    assert elsewhere.body["message"] == ("the namespace of the provided object does not match the namespace sent on "
                                         "the request")


def test_the_time_of_a_request_is_limited(api, ns):
    wrong = refused(api.get, f"{ns}/configmaps?timeout=soon")
    assert wrong.status == 400 and wrong.body["message"] == (
        'invalid timeout specified in the request URL - time: invalid duration "soon"')
    late = refused(api.post, f"{ns}/configmaps?timeout=1ns", config("late"))
    assert late.status == 504 and late.body["reason"] == "Timeout"
    assert late.body["message"] == "Timeout: request did not complete within the allotted timeout"
    assert refused(api.get, f"{ns}/configmaps/late").status == 404
    assert api.post(f"{ns}/configmaps?timeout=0s", config("a"))
    assert api.post(f"{ns}/configmaps?timeout=32s", config("b"))


def test_too_many_at_once_are_refused(tmp_path):
    """A body that does not come keeps its place; who administers gets through all the same."""
    path = "/api/v1/namespaces/default/configmaps"
    other = {"Impersonate-User": "someone", "Content-Type": "application/json"}
    with running(tmp_path / "cp", extra={"kube-apiserver": ["--max-mutating-requests-inflight=1",
                                                            "--authorization-mode=AlwaysAllow"]}) as plane:
        api = Client(plane.kubeconfig)
        slow = api.connection()
        slow.putrequest("POST", path)
        for name, value in {**other, "Content-Length": "2", "Expect": "100-continue"}.items():
            slow.putheader(name, value)
        slow.endheaders()
        assert slow.sock.recv(64).startswith(b"HTTP/1.1 100"), "it waits for the body"
        answer = api.ask("POST", path, config("a"), **other)
        assert answer.status == 429 and answer.headers["Retry-After"] == "1"
        assert answer.data == b"Too many requests, please try again later.\n"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert api.post(path, config("a"))
        slow.close()
