"""debian/: what it says twice is said once; dpkg-buildpackage and lintian see the rest (make deb)."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Debian's own: debhelper brings a compiler, make and the C library's headers.
WITH_EVERY_BUILD = {"gcc", "libc6-dev", "make"}
RENAMED = {"pkg-config": "pkgconf"}


def text(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def test_the_package_is_built_with_what_make_deps_installs_to_build():
    wanted = {RENAMED.get(line.split()[0], line.split()[0])
              for line in text("stack", "packages").splitlines()
              if line and not line.startswith("#") and line.split()[1] == "build"}
    field = re.search(r"^Build-Depends:((?:.*\n)(?: .*\n)*)", text("debian", "control"), re.M)
    given = {re.split(r"[ (<]", p.strip())[0] for p in field.group(1).split(",")}
    assert wanted - WITH_EVERY_BUILD <= given


def test_the_package_has_the_version_of_the_programs():
    version = re.search(r"^VERSION := (.*)$", text("Makefile"), re.M).group(1)
    assert text("debian", "changelog").startswith("writethrough (%s) " % version)
