#!/usr/bin/env python3
"""engines.py BINDIR: `run --rm busybox true` as a user types it, by clade, podman (crun) and docker (runc), each with a network as it
gives by default; and what a running container with a published port keeps in memory. Runs in a box (tests/engines/box): a registry on
loopback, dockerd and every store are its own.

warm    the image in the store
fresh   pulled from the registry first; the image is removed before each round
memory  PSS of every process that is there because of the container, beside the container's own
"""
import os
import shutil
import statistics
import subprocess
import sys
import time

bindir = os.path.abspath(sys.argv[1])
rounds = int(os.environ.get("BENCH_ROUNDS", "20"))
place = "/run/bench"
registry = "127.0.0.1:5000"
image = registry + "/busybox:latest"
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
clade = [place + "/bin/clade", "--root", place + "/state", "--data-root", place + "/data"]
podman = ["podman", "--runtime", "crun", "--cgroup-manager", "cgroupfs", "--log-level", "fatal"]
docker = ["/usr/bin/docker"]
engines = {"clade": clade, "clade, bridge": clade, "podman": podman, "docker": docker}
bridge = {"clade, bridge": ["--net", "bench"]}  # what podman and docker give root by themselves
started = []


def wait_for(*command):
    for _ in range(600):
        if subprocess.run(command, **quiet).returncode == 0:
            return
        time.sleep(0.1)
    sys.exit("engines: waited in vain for: " + " ".join(command))


def background(*command):
    started.append(subprocess.Popen(command, **quiet))


def prepare():
    os.makedirs(place + "/bin")
    os.makedirs(place + "/data")
    for name in os.listdir(bindir):
        shutil.copy(os.path.realpath(os.path.join(bindir, name)), os.path.join(place, "bin", name))
    subprocess.run(["tests/engines/images", place], check=True, env=dict(os.environ, CLADE_BIN=place + "/bin"))
    with open(place + "/registry.yml", "w") as f:
        f.write("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                "storage: {filesystem: {rootdirectory: %s/registry}}\nhttp: {addr: \"%s\"}\n" % (place, registry))
    with open("/etc/containers/registries.conf", "w") as f:
        f.write("[[registry]]\nlocation = \"%s\"\ninsecure = true\n" % registry)
    with open("/etc/containers/policy.json", "w") as f:
        f.write('{ "default": [{ "type": "insecureAcceptAnything" }] }')
    with open("/etc/docker/daemon.json", "w") as f:
        f.write('{ "exec-opts": ["native.cgroupdriver=cgroupfs"] }')
    background("docker-registry", "serve", place + "/registry.yml")
    background("dockerd")
    wait_for("curl", "-sf", "http://%s/v2/" % registry)
    subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", "docker-archive:%s/busybox.tar" % place, "docker://" + image], check=True)
    wait_for(*docker, "version")


def run_words(engine, *flags):
    return engines[engine] + ["run", *flags] + bridge.get(engine, [])


def compare(title, names, flags, count, fresh=False):
    """Interleaved, the order turned each round. fresh: the image is removed before each."""
    times, failed, order = {e: [] for e in names}, dict.fromkeys(names, 0), list(names)
    for _ in range(count):
        order.append(order.pop(0))
        for engine in order:
            if fresh:
                subprocess.run(engines[engine] + ["rmi", "-f", image], **quiet)
            begin = time.perf_counter()
            failed[engine] += subprocess.run(run_words(engine, "--rm", *flags) + [image, "true"], **quiet).returncode != 0
            times[engine].append(time.perf_counter() - begin)
    print("%s (%d rounds)" % (title, count))
    for engine in names:
        ratio = statistics.median(c / t for c, t in zip(times["clade"], times[engine]))
        print("  %-14s median %8.1f ms   clade/%-14s %.3f%s" % (engine, statistics.median(times[engine]) * 1e3, engine, ratio,
                                                           "   FAILED %d" % failed[engine] if failed[engine] else ""))
    sys.stdout.flush()


def pss(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def processes():
    """PID, name and PSS in KiB of all but the containers' own, which are a sleep each."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % entry) as f:
                name = f.read().strip()
            if name not in ("sleep", "busybox"):
                found[int(entry)] = (name, pss(int(entry)))
        except OSError:
            pass
    return found


def memory(count=5):
    print("memory of %d running containers with a published port each, per container: PSS in KiB outside of the container" % count)
    per = {}
    for engine, words in engines.items():
        before = processes()
        for i in range(count):
            subprocess.run(run_words(engine, "-d", "--name", "m%d" % i, "-p", "%d:80" % (8100 + i)) + [image, "sleep", "1000"], check=True, **quiet)
        time.sleep(2)
        new = {}
        for pid, (name, size) in processes().items():
            if pid not in before:
                new.setdefault(name, []).append(size)
        per[engine] = sum(map(sum, new.values())) / count
        print("  %-14s %8.0f KiB   clade/%-14s %8.3f   %s" % (engine, per[engine], engine, per["clade"] / per[engine],
              ", ".join("%d %s of %.0f" % (len(s) / count, n, statistics.median(s)) for n, s in sorted(new.items()))))
        if engine == "docker":
            print("           and once: " + ", ".join("%s %d" % v for v in sorted(before.values()) if v[0] in ("dockerd", "containerd")))
        for i in range(count):
            subprocess.run(words + ["rm", "-f", "m%d" % i], **quiet)
    sys.stdout.flush()


prepare()
try:
    for words in engines.values():
        subprocess.run(words + ["pull", "-q", image], check=True, **quiet)
    subprocess.run(clade + ["network", "create", "bench"], check=True, **quiet)
    alone = [e for e in engines if e not in bridge]
    compare("run --rm busybox true, the image in the store", list(engines), [], rounds)
    compare("the same, --net none", alone, ["--net", "none"], rounds)
    compare("pulled from a registry first, --net none", alone, ["--net", "none"], rounds // 2, fresh=True)
    memory()
finally:
    for engine in started:
        engine.terminate()
    for engine in started:
        engine.wait()
