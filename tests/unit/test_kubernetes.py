"""deploy/kubernetes: the manifests fit together, and name options and metrics that exist."""
import glob
import os
import re

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def manifests():
    made = {}
    for path in glob.glob(os.path.join(ROOT, "deploy/kubernetes/*.yaml")):
        with open(path, encoding="utf-8") as f:
            for item in yaml.safe_load_all(f):
                made[(item["kind"], item["metadata"]["name"])] = item
    return made


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def test_every_option_of_the_configmap_is_in_the_table():
    table = read("consumer/verbs/options.def") + read("common/options.def")
    known = set(re.findall(r'OPTION\(\w+,\s*\w+,\s*"([^"]+)"', table))
    text = manifests()[("ConfigMap", "writethrough")]["data"]["consumer.properties"]
    names = [line.split("=")[0] for line in text.split()]
    assert names and not [n for n in names if n not in known]


def test_selectors_volumes_and_targets_fit():
    all_of_them = manifests()
    pod = all_of_them[("Deployment", "wt-consumer")]["spec"]["template"]
    labels = pod["metadata"]["labels"].items()
    for kind, where in (("Service", "selector"), ("PodDisruptionBudget", "selector")):
        selector = all_of_them[(kind, "wt-consumer")]["spec"][where]
        assert (selector.get("matchLabels") or selector).items() <= labels
    mounts = {m["name"] for c in pod["spec"]["containers"] for m in c["volumeMounts"]}
    assert mounts == {v["name"] for v in pod["spec"]["volumes"]}
    scaled = all_of_them[("ScaledObject", "wt-consumer")]["spec"]
    assert ("Deployment", scaled["scaleTargetRef"]["name"]) in all_of_them


def test_the_query_names_a_metric_that_is_exported():
    query = manifests()[("ScaledObject", "wt-consumer")]["spec"]["triggers"][0]["metadata"]["query"]
    names = re.findall(r"writethrough_\w+", query)
    table = read("consumer/watch/metrics.def")
    assert names and all('"%s"' % name in table for name in names)
