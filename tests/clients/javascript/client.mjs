// @kubernetes/client-node against a namespace: node client.mjs NAMESPACE; the kubeconfig is $KUBECONFIG.
import assert from "node:assert/strict";
import * as k8s from "@kubernetes/client-node";

const namespace = process.argv[2];
const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);

function seen() {
  const waiting = [];
  const events = [];
  return {
    add(event) {
      events.push(event);
      for (const wake of waiting.splice(0)) wake();
    },
    async until(wanted) {
      while (!events.some(wanted)) await new Promise((wake) => waiting.push(wake));
      return events.find(wanted);
    },
  };
}

async function objects() {
  const body = { metadata: { name: "js", labels: { app: "js" } }, data: { k: "v" } };
  const made = await core.createNamespacedConfigMap({ namespace, body });
  assert.ok(made.metadata.uid);
  assert.ok(made.metadata.creationTimestamp instanceof Date);
  made.data.k = "w";
  const replaced = await core.replaceNamespacedConfigMap({ namespace, name: "js", body: made });
  assert.notEqual(replaced.metadata.resourceVersion, made.metadata.resourceVersion);
  await assert.rejects(core.replaceNamespacedConfigMap({ namespace, name: "js", body: made }), (error) => {
    assert.equal(error.code, 409);
    return true;
  });
  const patched = await core.patchNamespacedConfigMap(
    { namespace, name: "js", body: [{ op: "add", path: "/data/n", value: "1" }] });
  assert.deepEqual(patched.data, { k: "w", n: "1" });
  const listed = await core.listNamespacedConfigMap({ namespace, labelSelector: "app=js" });
  assert.deepEqual(listed.items.map((one) => one.metadata.name), ["js"]);
}

async function watched() {
  const events = seen();
  const watch = new k8s.Watch(config);
  const ended = seen();
  const controller = await watch.watch(
    `/api/v1/namespaces/${namespace}/configmaps`, { labelSelector: "app=js" },
    (type, object) => events.add({ type, name: object.metadata.name, data: object.data }),
    (error) => ended.add({ error }));
  await events.until((event) => event.type === "ADDED" && event.name === "js");
  await core.deleteNamespacedConfigMap({ namespace, name: "js" });
  await events.until((event) => event.type === "DELETED" && event.data.n === "1");
  controller.abort();
  await ended.until(() => true);
}

async function informed() {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const informer = k8s.makeInformer(config, path, () => apps.listNamespacedDeployment({ namespace }));
  const events = seen();
  for (const type of ["add", "update", "delete"]) {
    informer.on(type, (object) => events.add({ type, object }));
  }
  await informer.start();
  const labels = { app: "js" };
  const containers = [{ name: "c", image: "registry.test/js:1" }];
  await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: "js" }, spec: {
    replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } } } });
  await events.until((event) => event.type === "update" && event.object.status.replicas === 1);
  await apps.deleteNamespacedDeployment({ namespace, name: "js" });
  await events.until((event) => event.type === "delete");
  await informer.stop();
}

await objects();
await watched();
await informed();
console.log("ok");
process.exit(0);
