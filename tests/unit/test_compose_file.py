"""docker-compose.yml, Dockerfile and .env.example, read as text: what can be wrong without an
engine. `make test-compose` runs them on one."""
import os
import re
import subprocess

import pytest
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = {"producer": "wt-producer", "consumer": "wt-consumer", "loadgen": "wt-loadgen",
            "verify": "wt-consumer"}


def text(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def filled(value):
    """${NAME:-default} as without a .env."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


COMPOSE = yaml.safe_load(text("docker-compose.yml"))
SERVICES = COMPOSE["services"]
OURS = {n for n in SERVICES if SERVICES[n]["image"].startswith("writethrough:")}
ALL = pytest.mark.parametrize("name", SERVICES)


@ALL
def test_only_loopback_is_published(name):
    for port in SERVICES[name].get("ports", []):
        assert filled(port).startswith("127.0.0.1:"), port


@ALL
def test_images_are_pinned(name):
    tag = filled(SERVICES[name]["image"]).rpartition(":")[2]
    assert re.match(r"v?\d", tag), tag
    if name in OURS:
        version = re.search(r"^VERSION := (.*)$", text("Makefile"), re.M).group(1)
        assert tag == version


@ALL
def test_every_service_is_locked_down(name):
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user") != "root" and not service.get("privileged")
    assert not any("docker.sock" in v for v in service.get("volumes", []))


@ALL
def test_what_stays_has_a_health_check_and_comes_back(name):
    service = SERVICES[name]
    if service["restart"] == "no":
        assert service["healthcheck"] == {"disable": True} and service["init"] is True
        return
    assert service["restart"] == "unless-stopped" and service["mem_limit"]
    if name not in OURS and name != "kafka-ui":
        assert service["healthcheck"]["test"]


@ALL
def test_order_waits_for_conditions_that_can_come_true(name):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        once = SERVICES[other]["restart"] == "no"
        assert how["condition"] == (
            "service_completed_successfully" if once else "service_healthy"), other
        assert "profiles" not in SERVICES[other]


def test_our_image_is_built_once_and_asked_of_no_registry():
    """The plain builder would compile for each service that has a build, all at the same time."""
    assert len(OURS) >= 6 and [n for n in SERVICES if "build" in SERVICES[n]] == ["secrets"]
    assert all(SERVICES[n]["pull_policy"] == "never" for n in OURS - {"secrets"})


@ALL
def test_every_volume_and_every_mounted_file_exists(name):
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./"):
            assert os.path.exists(os.path.join(ROOT, source)), source
        else:
            assert source in COMPOSE["volumes"]


@ALL
def test_every_setting_is_an_option_of_its_program(name):
    variables = [v for v in SERVICES[name].get("environment", {}) if v.startswith("WT_")]
    if not variables:
        return
    program = os.path.join(ROOT, "build", "bin", PROGRAMS[name])
    out = subprocess.run([program, "--help-all"], stdout=subprocess.PIPE, text=True, check=True)
    known = {"WT_" + re.sub(r"[.-]", "_", o).upper()
             for o in re.findall(r"--([a-z][a-z.-]*)", out.stdout)}
    assert set(variables) <= known


def test_no_password_stands_in_a_file():
    for name in ("docker-compose.yml", ".env.example", "Dockerfile"):
        for line in text(name).splitlines():
            word = re.search(r"(?i)(?<![/\w])\w*(password|secret|token)\w*\s*[:=]\s*(\S+)", line)
            if word and not line.lstrip().startswith("#"):
                assert word.group(2).startswith(("/", "$", "{", '"true"')), line


def test_env_example_has_every_variable_with_its_default():
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", text("docker-compose.yml")))
    told = dict(re.findall(r"^#?(\w+)=(.*)$", text(".env.example"), re.M))
    assert told == used


def test_the_plain_builder_understands_the_dockerfile():
    dockerfile = text("Dockerfile")
    assert not re.search(r"^# *syntax|--mount|--chmod|<<", dockerfile, re.M)
    assert dockerfile.count("FROM debian:trixie-slim") == 2
    assert re.search(r"^HEALTHCHECK ", dockerfile, re.M) and re.search(r"^USER ", dockerfile, re.M)


def test_topic_partitions_fit_the_scales_that_are_told():
    assert "--partitions 6" in " ".join(SERVICES["topics"]["command"])
    first, last = filled(SERVICES["dashboard"]["ports"][0]).split(":")[1].split("-")
    assert int(last) - int(first) + 1 == 6
