"""Managed fields and server-side apply over HTTP: who owns what after which write, and what is refused."""
import json

import pytest
import yaml
from client import Refused

YAML = "application/apply-patch+yaml"
MANAGED = {"apiVersion": "v1", "fieldsType": "FieldsV1"}


def config(name="a", **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def deployment(replicas=None, image="registry.test/web:1", **container):
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image, **container}]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def apply(api, path, body, manager="one", query=""):
    text = body if isinstance(body, str) else yaml.safe_dump(body)
    return api.ask("PATCH", f"{path}?fieldManager={manager}{query}", text, Content_Type=YAML)


def applied(api, path, body, manager="one", query=""):
    answer = apply(api, path, body, manager, query)
    assert answer.status in (200, 201), answer.json
    return answer.json


def refused(api, path, body, manager="one", query=""):
    answer = apply(api, path, body, manager, query)
    assert answer.status >= 400, answer.json
    return answer.json


def owned(object_, manager, operation=None, subresource=None):
    """The fields of the one entry that fits."""
    found = [one["fieldsV1"] for one in object_["metadata"].get("managedFields", [])
             if one["manager"] == manager and operation in (None, one["operation"]) and
             one.get("subresource") == subresource]
    assert len(found) == 1, object_["metadata"].get("managedFields")
    return found[0]


@pytest.fixture
def apps(ns):
    return ns.replace("/api/v1", "/apis/apps/v1")


def test_each_write_is_somebodys(api, ns):
    made = api.post(f"{ns}/configmaps", config(data={"a": "1", "b.c-d": "2"}), User_Agent="first/v1 (test)")
    assert owned(made, "first", "Update") == {"f:data": {".": {}, "f:a": {}, "f:b.c-d": {}}}
    entry = made["metadata"]["managedFields"][0]
    assert {k: v for k, v in entry.items() if k not in ("time", "fieldsV1")} == {
        **MANAGED, "manager": "first", "operation": "Update"}
    made["data"]["a"] = "3"
    put = api.put(f"{ns}/configmaps/a?fieldManager=second", made)
    assert owned(put, "first") == {"f:data": {".": {}, "f:b.c-d": {}}} and owned(put, "second") == {"f:data": {"f:a": {}}}
    patched = api.patch(f"{ns}/configmaps/a?fieldManager=third", {"data": {"a": None, "n": "1"}})
    assert [one["manager"] for one in patched["metadata"]["managedFields"]] == ["first", "third"]
    assert api.patch(f"{ns}/configmaps/a?fieldManager=fourth", {"data": {"n": "1"}}) == patched


@pytest.mark.parametrize("name", ["x" * 129, "a%0Ab"])
def test_a_manager_has_a_short_name(api, ns, name):
    with pytest.raises(Refused) as caught:
        api.post(f"{ns}/configmaps?fieldManager={name}", config())
    assert caught.value.status == 422 and caught.value.body["details"]["causes"][0]["field"] == "fieldManager"


def test_clients_may_forget_but_not_lose_the_entries(api, ns):
    made = api.post(f"{ns}/configmaps?fieldManager=first", config(data={"a": "1"}))
    kept = made["metadata"]["managedFields"]
    del made["metadata"]["managedFields"]
    assert api.put(f"{ns}/configmaps/a", made)["metadata"]["managedFields"] == kept
    made["metadata"]["managedFields"] = [{"manager": "x", "operation": "Steal", "apiVersion": "v1", "fieldsType": "FieldsV1"}]
    del made["metadata"]["resourceVersion"]
    assert api.put(f"{ns}/configmaps/a", made)["metadata"]["managedFields"] == kept
    for forgets in ([], [{}]):
        made["metadata"]["managedFields"] = forgets
        assert "managedFields" not in api.put(f"{ns}/configmaps/a", made)["metadata"]
    assert "managedFields" not in api.patch(f"{ns}/configmaps/a", {"data": {"b": "2"}})["metadata"]
    back = applied(api, f"{ns}/configmaps/a", config(data={"c": "3"}))
    assert owned(back, "before-first-apply") == {"f:data": {".": {}, "f:a": {}, "f:b": {}}}


def test_apply_creates_changes_and_removes(api, ns, apps):
    first = apply(api, f"{apps}/deployments/web", deployment(3, env=[{"name": "A", "value": "1"}],
                                                             ports=[{"containerPort": 80}]))
    assert first.status == 201
    template = owned(first.json, "one", "Apply")["f:spec"]["f:template"]
    assert template["f:spec"]["f:containers"]['k:{"name":"c"}'] == {
        ".": {}, "f:name": {}, "f:image": {}, "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}}
    same = apply(api, f"{apps}/deployments/web", deployment(3, env=[{"name": "A", "value": "1"}],
                                                            ports=[{"containerPort": 80}]))
    assert same.status == 200 and same.json == first.json
    api.patch(f"{apps}/deployments/web?fieldManager=two", {"metadata": {"labels": {"kept": "yes"}}})
    now = applied(api, f"{apps}/deployments/web", deployment())
    container = now["spec"]["template"]["spec"]["containers"][0]
    assert now["spec"]["replicas"] == 1 and "env" not in container and "ports" not in container
    assert now["metadata"]["labels"] == {"kept": "yes"}


def test_conflicts_name_fields_and_owners(api, apps):
    path = f"{apps}/deployments/web"
    applied(api, path, deployment(1))
    one = refused(api, path, deployment(2), "two")
    assert (one["code"], one["reason"]) == (409, "Conflict")
    assert one["message"] == 'Apply failed with 1 conflict: conflict with "one": .spec.replicas'
    assert one["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".spec.replicas"}]
    api.patch(f"{path}?fieldManager=patcher", {"spec": {"replicas": 5}})
    many = refused(api, path, deployment(2, "registry.test/web:2"), "two")
    assert many["message"] == (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.template.spec.containers[name="c"].image\n'
        'conflicts with "patcher" using apps/v1:\n- .spec.replicas')
    forced = applied(api, path, deployment(2, "registry.test/web:2"), "two", "&force=true")
    assert forced["spec"]["replicas"] == 2 and "f:replicas" not in owned(forced, "one")["f:spec"]
    assert not [entry for entry in forced["metadata"]["managedFields"] if entry["manager"] == "patcher"]


def test_apply_asks_for_a_manager(api, ns):
    answer = api.ask("PATCH", f"{ns}/configmaps/a", yaml.safe_dump(config()), Content_Type=YAML)
    assert answer.status == 422
    assert "fieldManager: Required value: is required for apply patch" in answer.json["message"]


def test_bodies_that_cannot_be_applied(api, ns):
    path = f"{ns}/configmaps/a"
    cbor = api.ask("PATCH", f"{path}?fieldManager=x", b"\xa0", Content_Type="application/apply-patch+cbor")
    assert cbor.status == 415 and "application/apply-patch+yaml" in cbor.json["message"]
    other = refused(api, path, {**config(), "kind": "Secret"})
    assert (other["code"], other["message"]) == (400, "invalid object type: /v1, Kind=Secret")
    entries = refused(api, path, config(**{"metadata": {"name": "a", "managedFields": []}}))
    assert (entries["code"], entries["message"]) == (400, "metadata.managedFields must be nil")
    unknown = refused(api, path, config(daata={}))
    assert unknown["code"] == 500
    assert unknown["message"] == "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .daata: field not declared in schema"
    assert refused(api, path, "a: [")["message"].startswith("error decoding YAML: error converting YAML to JSON: yaml: ")
    named = refused(api, path, config("b"))
    assert named["message"] == "the name of the object (b) does not match the name on the URL (a)"
    born = refused(api, path, config(metadata={"name": "a", "uid": "u"}))
    assert born["code"] == 409 and "uid mismatch: the provided object specified uid u, and no existing object" in born["message"]


def test_what_a_strict_reader_says_of_yaml(api, ns):
    twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: a\n  k: b\n"
    strict = refused(api, f"{ns}/configmaps/a", twice, query="&fieldValidation=Strict")
    assert (strict["code"], strict["message"]) == (400, (
        "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
        '  line 6: key "k" already set in map'))
    warned = apply(api, f"{ns}/configmaps/a", twice)
    assert warned.status == 201 and "already set in map" in warned.headers["Warning"]
    assert warned.json["data"] == {"k": "b"}
    in_json = json.dumps(config("b"))[:-1] + ', "data": {"k": "a", "k": "b"}}'
    assert "already set in map" in refused(api, f"{ns}/configmaps/b", in_json, query="&fieldValidation=Strict")["message"]


def test_versions_and_identities_are_honoured(api, ns):
    path = f"{ns}/configmaps/a"
    made = applied(api, path, config(data={"a": "1"}))
    old = {"name": "a", "resourceVersion": made["metadata"]["resourceVersion"]}
    applied(api, path, config(metadata=old, data={"a": "2"}))
    assert refused(api, path, config(metadata=old, data={"a": "3"}))["reason"] == "Conflict"
    other = refused(api, path, config(metadata={"name": "a", "uid": "other"}, data={"a": "2"}))
    assert other["code"] == 409 and "Precondition failed: UID in precondition: other" in other["message"]


def test_nothing_is_written_by_a_dry_run_or_when_nothing_changes(api, ns):
    path = f"{ns}/configmaps/a"
    assert apply(api, path, config(), query="&dryRun=All").status == 201
    with pytest.raises(Refused):
        api.get(path)
    made = applied(api, path, config(data={"a": "1"}))
    dry = applied(api, path, config(data={"a": "2"}), query="&dryRun=All")
    assert dry["data"] == {"a": "2"} and api.get(path) == made
    # The same by another manager is a change: there are two owners now.
    assert applied(api, path, config(data={"a": "1"}))["metadata"] == made["metadata"]
    both = applied(api, path, config(data={"a": "1"}), "two")
    assert both["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    assert owned(both, "one") == owned(both, "two") == {"f:data": {"f:a": {}}}
    left = applied(api, path, config(), "one")
    assert left["data"] == {"a": "1"} and "data" not in applied(api, path, config(), "two")


def test_status_and_scale_have_owners_of_their_own(api, ns, apps):
    path = f"{apps}/deployments/web"
    applied(api, path, deployment(1))
    status = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
              "spec": {"paused": True}, "status": {"replicas": 1}}
    now = applied(api, f"{path}/status", status, "watcher")
    assert owned(now, "watcher", "Apply", "status") == {"f:status": {"f:replicas": {}}} and "paused" not in now["spec"]
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4}}
    assert refused(api, f"{path}/scale", scale, "scaler")["message"] == (
        'Apply failed with 1 conflict: conflict with "one": .spec.replicas')
    assert applied(api, f"{path}/scale", scale, "scaler", "&force=true")["spec"] == {"replicas": 4}
    now = api.get(path)
    assert owned(now, "scaler", "Apply", "scale") == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owned(now, "one")["f:spec"]
    api.patch(f"{path}/scale?fieldManager=hand", {"spec": {"replicas": 2}})
    assert owned(api.get(path), "hand", "Update", "scale") == {"f:spec": {"f:replicas": {}}}
    missing = refused(api, f"{apps}/deployments/other/status", {**status, "metadata": {"name": "other"}})
    assert missing["code"] == 404


def test_an_eleventh_updater_makes_the_oldest_ancient(api, ns):
    api.post(f"{ns}/configmaps?fieldManager=m00", config(data={"k00": ""}))
    for number in range(1, 13):
        last = api.patch(f"{ns}/configmaps/a?fieldManager=m{number:02}", {"data": {f"k{number:02}": ""}})
    names = [one["manager"] for one in last["metadata"]["managedFields"]]
    assert len(names) == 10 and "ancient-changes" in names
    old = owned(last, "ancient-changes")["f:data"]
    assert set(old) | {"f:" + name.replace("m", "k") for name in names if name != "ancient-changes"} == \
        {"."} | {f"f:k{number:02}" for number in range(13)}


def test_events_of_both_groups_have_owners(api, ns):
    event = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"}, "type": "Normal",
             "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "x", "reportingInstance": "y",
             "action": "a", "reason": "r", "regarding": {"kind": "Pod", "name": "p", "namespace": ns.rsplit("/", 1)[1]}}
    made = api.post(f"{ns.replace('/api/v1', '/apis/events.k8s.io/v1')}/events?fieldManager=m", event)
    assert "f:regarding" in owned(made, "m") and made["metadata"]["managedFields"][0]["apiVersion"] == "events.k8s.io/v1"
    assert owned(api.get(f"{ns}/events/e"), "m") == owned(made, "m")
