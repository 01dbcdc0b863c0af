"""A small disk: ext4 in a file, mounted by a loop device, that can be filled and emptied."""
import atexit
import os
import subprocess


class Impossible(Exception):
    """This machine lets us mount nothing."""


def sh(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Impossible("%s: %s" % (" ".join(argv[:1]), done.stdout.strip()))


class SmallDisk:
    def __init__(self, image, folder, megabytes):
        self.image, self.folder = image, folder
        os.makedirs(folder, exist_ok=True)
        try:
            with open(image, "wb") as f:
                f.truncate(megabytes << 20)
            sh("mkfs.ext4", "-q", "-m", "0", image)
            sh("mount", "-o", "loop", image, folder)
        except (Impossible, OSError) as error:
            if os.path.exists(image):
                os.unlink(image)
            raise Impossible("no small disk (root and a loop device make one): %s" % error)
        atexit.register(self.close)  # servers that never start must not leave it mounted

    def fill(self):
        """to the last byte"""
        size = os.statvfs(self.folder)
        with open(os.path.join(self.folder, ".filler"), "wb") as f:
            free = size.f_bavail * size.f_frsize
            while free > 4096:
                try:
                    os.posix_fallocate(f.fileno(), os.fstat(f.fileno()).st_size, free)
                except OSError:
                    free //= 2
            try:
                while True:
                    os.write(f.fileno(), b"x" * 4096)
            except OSError:
                pass

    def empty(self):
        try:
            os.unlink(os.path.join(self.folder, ".filler"))
        except FileNotFoundError:
            pass

    def close(self):
        atexit.unregister(self.close)
        subprocess.run(["umount", "-l", self.folder], check=False)
        if os.path.exists(self.image):
            os.unlink(self.image)
