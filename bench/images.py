#!/usr/bin/env python3
"""images.py BINDIR [NAME...]: clade's images beside podman's, and unpacking beside skopeo and umoci.

unpack  an image of 500 MB (BENCH_MB; this machine's own /usr) from a layout: into clade's store, into podman's, and by skopeo copy + umoci unpack
cold    run --rm of /bin/true from a layout, the store empty
warm    the same from an image that is in the store
"""
import gzip
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

bindir, names = sys.argv[1], sys.argv[2:] or ["warm", "cold", "unpack"]
clade = bindir + "/clade"
work = tempfile.mkdtemp(prefix="clade-bench.", dir=os.environ.get("TMPDIR", "/var/tmp"))
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Layout:
    """An OCI layout of one gzip layer, written as it is read."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path + "/blobs/sha256")

    def put(self, data):
        name = hashlib.sha256(data).hexdigest()
        with open(self.path + "/blobs/sha256/" + name, "wb") as f:
            f.write(data)
        return {"digest": "sha256:" + name, "size": len(data)}

    def layer(self, add):
        plain, new = hashlib.sha256(), self.path + "/layer"

        class Both:
            def __init__(self, out):
                self.out = out

            def write(self, data):
                plain.update(data)
                return self.out.write(data)

        with gzip.open(new, "wb", compresslevel=6) as z, tarfile.open(fileobj=Both(z), mode="w|") as tar:
            add(tar)
        with open(new, "rb") as f:
            name = hashlib.sha256(f.read()).hexdigest()
        size = os.path.getsize(new)
        os.rename(new, self.path + "/blobs/sha256/" + name)
        return {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + name, "size": size}, "sha256:" + plain.hexdigest()

    def finish(self, layers):
        machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
        config = dict(self.put(json.dumps({"architecture": machine, "os": "linux", "config": {"Cmd": ["/bin/true"]},
                                           "rootfs": {"type": "layers", "diff_ids": [d for _, d in layers]}}).encode()),
                      mediaType="application/vnd.oci.image.config.v1+json")
        manifest = dict(self.put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
                                             "layers": [d for d, _ in layers]}).encode()),
                        mediaType="application/vnd.oci.image.manifest.v1+json", annotations={"org.opencontainers.image.ref.name": "latest"})
        with open(self.path + "/index.json", "w") as f:
            json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
        with open(self.path + "/oci-layout", "w") as f:
            f.write('{"imageLayoutVersion": "1.0.0"}')


def busybox(tar):
    tar.add(shutil.which("busybox"), "bin/busybox")
    for name in ("true", "sh"):
        info = tarfile.TarInfo("bin/" + name)
        info.type, info.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(info)


def host_files(megabytes):
    def add(tar):
        room = megabytes << 20
        for top, folders, files in os.walk("/usr"):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(top, name)
                size = os.lstat(path).st_size
                if os.path.islink(path) or not os.path.isfile(path) or size > 64 << 20:
                    continue
                tar.add(path, path[1:], recursive=False)
                room -= size
                if room < 0:
                    return
    return add


def podman(root, *words):
    return ["podman", "--root", root, "--runroot", work + "/podman-run", "--runtime", "crun", "--cgroup-manager", "cgroupfs",
            "--log-level", "fatal", *words]


limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", "--net", "none"]


def compare(title, commands, rounds):
    """commands: name -> (argv list, folder to be removed after, or None). Interleaved; the first is clade's."""
    times = {name: [] for name in commands}
    failed = {name: 0 for name in commands}
    order = list(commands.items())
    for _ in range(rounds):
        order.append(order.pop(0))
        for name, (steps, folder) in order:
            begin = time.perf_counter()
            for step in steps:
                failed[name] += subprocess.run(step, **quiet).returncode != 0
            times[name].append(time.perf_counter() - begin)
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
    ours = statistics.median(times["clade"])
    print("%s (%d rounds)" % (title, rounds))
    for name, all_of in times.items():
        median = statistics.median(all_of)
        print("  %-14s median %9.2f ms   clade/%s %.3f%s"
              % (name, median * 1e3, name, ours / median, "   FAILED %d" % failed[name] if failed[name] else ""))
    sys.stdout.flush()


def in_clade(data, *words):
    return [clade, "--root", work + "/state", "--data-root", data, *words]


def main():
    small = Layout(work + "/small")
    small.finish([small.layer(busybox)])
    fresh, store = work + "/fresh", work + "/store"
    if "warm" in names:
        subprocess.run(in_clade(store, "load", "-q", "-i", small.path), check=True, **quiet)
        image = subprocess.run(in_clade(store, "images", "-q"), check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        subprocess.run(podman(work + "/podman", "pull", "-q", "oci:" + small.path), check=True, **quiet)
        theirs = subprocess.run(podman(work + "/podman", "images", "-q"), check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        compare("run --rm IMAGE true, the image in the store",
                {"clade": ([in_clade(store, "run", "--net", "none", "--rm", image, "true")], None),
                 "podman": ([podman(work + "/podman", "run", "--rm", *limits, theirs, "true")], None)}, 30)
    if "cold" in names:
        compare("run --rm oci:LAYOUT true, the store empty",
                {"clade": ([in_clade(fresh, "run", "--net", "none", "--rm", "oci:" + small.path, "true")], fresh),
                 "podman": ([podman(work + "/podman-fresh", "run", "--rm", *limits, "oci:" + small.path, "true")], work + "/podman-fresh")}, 10)
    if "unpack" in names:
        megabytes = int(os.environ.get("BENCH_MB", "500"))
        large = Layout(work + "/large")
        large.finish([large.layer(host_files(megabytes))])
        compare("an image of %d MB in one gzip layer, unpacked" % megabytes,
                {"clade": ([in_clade(fresh, "load", "-q", "-i", large.path)], fresh),
                 "podman": ([podman(work + "/podman-fresh", "pull", "-q", "oci:" + large.path)], work + "/podman-fresh"),
                 "skopeo+umoci": ([["mkdir", work + "/umoci"],
                                   ["skopeo", "copy", "-q", "oci:%s:latest" % large.path, "oci:%s/umoci/oci:latest" % work],
                                   ["umoci", "unpack", "--image", work + "/umoci/oci:latest", work + "/umoci/bundle"]], work + "/umoci")}, 3)


try:
    main()
finally:
    # podman's overlay folder may be a mount
    subprocess.run(["umount", "-l", work + "/podman/overlay", work + "/podman-fresh/overlay"], **quiet)
    shutil.rmtree(work, ignore_errors=True)
