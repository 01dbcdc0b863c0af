"""Bash completion: what is offered is what the programs know, in every place of a command line."""
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ("wt-producer", "wt-ingest", "wt-consumer", "wt-loadgen")
BIN = os.path.join(ROOT, "build", "bin")
ASK = """
source "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$3
_writethrough "${2%% *}"
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="session")
def completion(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "writethrough"
    with open(path, "wb") as f:
        subprocess.run([os.path.join(ROOT, "deploy", "completion", "generate"),
                        *[os.path.join(BIN, p) for p in PROGRAMS]], check=True, stdout=f)
    return path


@pytest.fixture
def offered(completion, tmp_path):
    def ask(line, breaks=" \t\n\"'><=;|&(:"):
        done = subprocess.run(["bash", "--norc", "-c", ASK, "ask", str(completion), line, breaks],
                              cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        assert not done.stderr, done.stderr
        return sorted(done.stdout.split())
    return ask


def help_of(program):
    return subprocess.run([os.path.join(BIN, program), "--help-all"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_option_is_offered_and_known(offered, program):
    """Against the effective configuration, which is printed by other code than the help."""
    options = offered(program + " --")
    printed = subprocess.run([os.path.join(BIN, program), "--print-config"], text=True,
                             stdout=subprocess.PIPE).stdout
    names = {"--" + n for n in re.findall(r"^([a-z.-]+)=.*# default$", printed, re.M)}
    assert names and names | {"--config", "--print-config", "--help", "--help-all", "--version"} \
        == set(options)


def test_every_verb_is_offered_and_known(offered):
    listed = re.search(r"^Verbs:\n((?:  \S.*\n)+)", help_of("wt-consumer"), re.M).group(1)
    assert offered("wt-consumer ") == sorted(line.split()[0] for line in listed.splitlines())
    assert offered("wt-consumer re") == ["replay", "reset"]
    assert offered("wt-ingest ") == ["bench-produce", "csv", "generate", "lines"]
    assert offered("wt-loadgen c") == ["compare"]
    assert offered("wt-producer ") == []


def test_a_verb_is_offered_once_and_behind_options_too(offered):
    assert offered("wt-consumer lag ") == []
    assert offered("wt-consumer --group lag ver") == ["verify"]
    assert offered("wt-consumer --json --mysql.host=h ver") == ["verify"]
    assert offered("wt-consumer --json ver") == ["verify"]  # a switch takes no value
    assert offered("wt-consumer --json lag ") == []


def test_files_are_offered_where_a_file_is_wanted(offered, tmp_path):
    (tmp_path / "rows.csv").touch()
    (tmp_path / "rates.json").touch()
    both = ["rates.json", "rows.csv"]
    assert offered("wt-consumer run --mapping r") == both
    assert offered("wt-consumer run --config ro") == ["rows.csv"]
    assert offered("wt-ingest csv r") == both
    assert offered("wt-loadgen compare ra") == ["rates.json"]
    assert offered("wt-consumer run --group r") == []  # a name is nobody's file


def test_words_of_an_option_are_offered_but_not_what_stands_for_a_value(offered):
    assert offered("wt-consumer --log.level ") == ["debug", "error", "info", "warn"]
    assert offered("wt-consumer reset --to ") == ["earliest", "latest"]
    assert offered("wt-consumer --workers ") == ["auto"]
    scenarios = sorted(f[:-5] for f in os.listdir(os.path.join(ROOT, "loadgen", "scenarios")))
    assert offered("wt-loadgen --scenario ") == scenarios


def test_the_form_with_an_equals_sign_is_completed_behind_it(offered, tmp_path):
    (tmp_path / "m.json").touch()
    assert offered("wt-consumer run --log.level=w") == ["warn"]
    assert offered("wt-consumer run --mapping=m") == ["m.json"]
    assert offered("wt-consumer run --json=t") == ["true"]
    # Where readline does not cut at it, the whole word is replaced.
    assert offered("wt-consumer run --log.level=w", breaks=" \t\n") == ["--log.level=warn"]


def test_a_sink_is_a_kind_then_a_file(offered, tmp_path):
    (tmp_path / "out.avro").touch()
    assert offered("wt-ingest generate --to a") == ["avro:"]
    assert offered("wt-ingest generate --to avro:o") == ["out.avro"]
    assert offered("wt-ingest generate --to=avro:o") == ["out.avro"]
    assert offered("wt-ingest generate --to=avro:o", breaks=" \t\n=") == ["avro:out.avro"]
