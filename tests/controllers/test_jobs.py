"""C10, C11: jobs and cron jobs, after apps/job.go and apps/cronjob.go."""
import pytest
from controllers_api import batch, core, owned, workload  # noqa: F401


def job(name, **spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "one"}]}},
                     **spec}}


def finish(api, ns, pod, phase, code=None):
    status = {"phase": phase}
    if code is not None:
        status["containerStatuses"] = [{"name": "c", "image": "one", "imageID": "", "ready": False, "restartCount": 0,
                                        "state": {"terminated": {"exitCode": code, "reason": "Error"}}}]
    api.patch(core(ns, "pods", f"{pod}/status"), {"status": status})


def has(job_name, kind):
    return lambda all: any(c["type"] == kind and c["status"] == "True"
                           for c in all[job_name]["status"].get("conditions", []))


def running(count):
    return lambda all: sum(pod["status"].get("phase") == "Running" for pod in all.values()) == count


def test_job_should_run_to_completion(api, ns):
    api.create(batch(ns, "jobs"), job("j", completions=3, parallelism=2))
    pods = api.until(core(ns, "pods"), running(2))
    for name in pods:
        finish(api, ns, name, "Succeeded")
    last = api.until(core(ns, "pods"), lambda all: len(all) == 3 and running(1)(all))
    finish(api, ns, next(name for name, pod in last.items() if pod["status"]["phase"] == "Running"), "Succeeded")
    done = api.until(batch(ns, "jobs"), has("j", "Complete"))["j"]["status"]
    assert done["succeeded"] == 3 and "completionTime" in done
    assert [c["type"] for c in done["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert not any(pod["metadata"].get("finalizers") for pod in api.get(core(ns, "pods"))["items"])


def test_job_should_adopt_matching_orphans_and_release_non_matching_pods(api, ns):
    api.create(batch(ns, "jobs"), job("j", parallelism=1))
    made = api.get(batch(ns, "jobs", "j"))
    pods = api.until(core(ns, "pods"), running(1))
    name = next(iter(pods))
    api.patch(core(ns, "pods", name), {"metadata": {"ownerReferences": None}})
    api.until(core(ns, "pods"), lambda all: any(
        pod["metadata"]["name"] == name for pod in owned(all, made["metadata"]["uid"])))
    api.patch(core(ns, "pods", name), {"metadata": {"labels": None}})
    api.until(core(ns, "pods"), lambda all: not all[name]["metadata"].get("ownerReferences"))


def test_job_should_fail_when_exceeds_backoff_limit(api, ns):
    api.create(batch(ns, "jobs"), job("j", backoffLimit=0))
    pods = api.until(core(ns, "pods"), running(1))
    finish(api, ns, next(iter(pods)), "Failed")
    failed = api.until(batch(ns, "jobs"), has("j", "Failed"))["j"]["status"]
    assert failed["failed"] == 1
    assert [(c["type"], c["reason"]) for c in failed["conditions"]] == [
        ("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert failed["conditions"][0]["message"] == "Job has reached the specified backoff limit"


def test_job_should_create_pods_for_an_indexed_job_with_completion_indexes_and_specified_hostname(api, ns):
    api.create(batch(ns, "jobs"), job("j", completions=3, parallelism=3, completionMode="Indexed"))
    pods = api.until(core(ns, "pods"), running(3))
    indexes = {pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]: pod for pod in pods.values()}
    assert sorted(indexes) == ["0", "1", "2"]
    for index, pod in indexes.items():
        assert pod["spec"]["hostname"] == f"j-{index}"
        assert pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == index
        assert pod["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
        finish(api, ns, pod["metadata"]["name"], "Succeeded")
    done = api.until(batch(ns, "jobs"), has("j", "Complete"))["j"]["status"]
    assert done["completedIndexes"] == "0-2" and done["succeeded"] == 3


def test_job_should_allow_to_use_the_pod_failure_policy_on_exit_code_to_fail_the_job_early(api, ns):
    api.create(batch(ns, "jobs"), job("j", podFailurePolicy={"rules": [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]}))
    pods = api.until(core(ns, "pods"), running(1))
    name = next(iter(pods))
    finish(api, ns, name, "Failed", 1)
    failed = api.until(batch(ns, "jobs"), has("j", "Failed"))["j"]["status"]["conditions"][-1]
    assert failed["reason"] == "PodFailurePolicy"
    assert failed["message"] == f"Container c for pod {ns}/{name} failed with exit code 1 matching FailJob rule at index 0"


def test_job_should_execute_all_indexes_despite_some_failing_when_using_backoff_limit_per_index(api, ns):
    api.create(batch(ns, "jobs"), job("j", completions=2, parallelism=2, completionMode="Indexed",
                                      backoffLimitPerIndex=0))
    pods = api.until(core(ns, "pods"), running(2))
    for name, pod in pods.items():
        index = pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]
        finish(api, ns, name, "Failed" if index == "0" else "Succeeded")
    failed = api.until(batch(ns, "jobs"), has("j", "Failed"))["j"]["status"]
    assert failed["failedIndexes"] == "0" and failed["completedIndexes"] == "1"
    assert failed["conditions"][-1]["reason"] == "FailedIndexes"


def test_job_with_success_policy_should_succeed_when_a_rule_is_met(api, ns):
    api.create(batch(ns, "jobs"), job("j", completions=3, parallelism=3, completionMode="Indexed",
                                      successPolicy={"rules": [{"succeededIndexes": "0"}]}))
    pods = api.until(core(ns, "pods"), running(3))
    leader = next(name for name, pod in pods.items()
                  if pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] == "0")
    finish(api, ns, leader, "Succeeded")
    done = api.until(batch(ns, "jobs"), has("j", "Complete"))["j"]["status"]
    assert done["completedIndexes"] == "0"
    assert done["conditions"][0]["reason"] == "SuccessPolicy"


def test_job_suspended_has_no_pods_until_it_is_resumed(api, ns):
    api.create(batch(ns, "jobs"), job("j", suspend=True))
    api.until(batch(ns, "jobs"), has("j", "Suspended"))
    assert api.get(core(ns, "pods"))["items"] == []
    api.patch(batch(ns, "jobs", "j"), {"spec": {"suspend": False}})
    api.until(core(ns, "pods"), running(1))
    assert api.until(batch(ns, "jobs"), lambda all: not has("j", "Suspended")(all))["j"]["status"]["startTime"]


def test_job_finished_is_deleted_when_its_time_is_over(api, ns):
    api.create(batch(ns, "jobs"), job("j", ttlSecondsAfterFinished=0))
    pods = api.until(core(ns, "pods"), running(1))
    finish(api, ns, next(iter(pods)), "Succeeded")
    api.until(batch(ns, "jobs"), lambda all: not all)
    api.until(core(ns, "pods"), lambda all: not all)


def cron_job(name, **spec):
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
            "spec": {"schedule": "@every 1s", "jobTemplate": {"spec": job("")["spec"]}, **spec}}


def jobs_of(all, name):
    return [found for found in all.values() if found["metadata"]["ownerReferences"][0]["name"] == name]


def test_cron_job_should_schedule_jobs_and_not_when_suspended(api, ns):
    api.create(batch(ns, "cronjobs"), cron_job("suspended", suspend=True))
    api.create(batch(ns, "cronjobs"), cron_job("runs"))
    found = api.until(batch(ns, "jobs"), lambda all: jobs_of(all, "runs"))
    assert not jobs_of(found, "suspended")
    assert "batch.kubernetes.io/cronjob-scheduled-timestamp" in jobs_of(found, "runs")[0]["metadata"]["annotations"]
    api.until(batch(ns, "cronjobs"), lambda all: all["runs"]["status"].get("active"))
    api.patch(batch(ns, "cronjobs", "runs"), {"spec": {"suspend": True}})


def test_cron_job_should_not_schedule_new_jobs_when_forbid_concurrent(api, ns):
    api.create(batch(ns, "cronjobs"), cron_job("c", concurrencyPolicy="Forbid"))
    api.until(batch(ns, "cronjobs"), lambda all: all["c"]["status"].get("active"))
    events = api.until(core(ns, "events"), lambda all: any(e["reason"] == "JobAlreadyActive" for e in all.values()))
    assert len(api.get(batch(ns, "jobs"))["items"]) == 1
    assert any(e["message"] == "Not starting job because prior execution is running and concurrency policy is Forbid"
               for e in events.values())
    api.patch(batch(ns, "cronjobs", "c"), {"spec": {"suspend": True}})


@pytest.mark.parametrize("phase,condition", [("Succeeded", "Complete")])
def test_cron_job_forgets_jobs_that_have_ended(api, ns, phase, condition):
    api.create(batch(ns, "cronjobs"), cron_job("c", concurrencyPolicy="Forbid", successfulJobsHistoryLimit=0))
    api.until(batch(ns, "cronjobs"), lambda all: all["c"]["status"].get("active"))
    api.patch(batch(ns, "cronjobs", "c"), {"spec": {"suspend": True}})
    pods = api.until(core(ns, "pods"), running(1))
    finish(api, ns, next(iter(pods)), phase)
    api.until(batch(ns, "cronjobs"), lambda all: not all["c"]["status"].get("active"))
    api.until(batch(ns, "jobs"), lambda all: not all)
