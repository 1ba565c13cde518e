#!/usr/bin/env python3
"""oci.py BINDIR [NAME...]: clade-oci beside crun and runc, on configurations that podman and docker wrote.

times    run, create, start, delete, exec, state, kill, delete --force: medians, ratios, page faults, peak memory
cold     the same after 150 ms of idleness before each step
calls    system calls and processes of each command
limits   the smallest memory limit under which `run /bin/true` works
crowd    run and create beside CROWD containers (1000) and beside NAMESPACES mount namespaces (5000), against alone

Every round runs each command of each runtime once, in an order dealt anew; a ratio is the median of the rounds'
own ratios, so the machine's moods drop out. ROUNDS (40), FIXTURES (podman docker), CGROUPS (v2: a lone cgroup2, as
on most hosts now; v1: what a hybrid host has).
"""
import collections
import ctypes
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
bindir, names = sys.argv[1], sys.argv[2:] or ["times", "cold", "calls", "limits", "crowd"]
rounds = int(os.environ.get("ROUNDS", "40"))
fixtures = os.environ.get("FIXTURES", "podman docker").split()
v2 = os.environ.get("CGROUPS", "v2") == "v2"
work = tempfile.mkdtemp(prefix="clade-oci-bench.", dir="/run")
tag = os.path.basename(work)
null = os.open(os.devnull, os.O_RDWR)
Sample = collections.namedtuple("Sample", "us faults code")


def mount_view():
    """In a mount namespace of our own: one kind of cgroup, and state on a tmpfs as /run is everywhere."""
    if v2 and subprocess.run(["stat", "-fc", "%T", "/sys/fs/cgroup"], capture_output=True, text=True).stdout.strip() != "cgroup2fs":
        subprocess.run("umount -R -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup", shell=True, check=True)
    elif not v2:
        subprocess.run("umount /sys/fs/cgroup/unified 2>/dev/null", shell=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "bench", work], check=True)


def make_rootfs():
    root = work + "/rootfs"
    for name in ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp"):
        os.makedirs(root + "/" + name)
    subprocess.run(["musl-gcc", "-static", "-O2", "-s", "-o", root + "/bin/true", here + "/payload.c"], check=True)
    shutil.copy(root + "/bin/true", root + "/bin/sleep")
    for name in ("etc/hosts", "etc/hostname", "etc/resolv.conf", "run/.containerenv"):
        open(root + "/" + name, "w").close()


def make_bundle(fixture, name, args, edit=None):
    path = "%s/bundles/%s-%s" % (work, fixture, name)
    os.makedirs(path + "/binds", exist_ok=True)
    with open("%s/%s.json" % (here, fixture)) as file:
        text = file.read()
    for mark, value in (("@BUNDLE@", path), ("@ROOTFS@", work + "/rootfs"), ("@CGROUP@", "/%s/%s" % (tag, name))):
        text = text.replace(mark, value)
    config = json.loads(text)
    config["process"]["args"] = args
    if v2:
        config["linux"]["namespaces"].append({"type": "cgroup"})
        try:
            with open("/sys/fs/cgroup/cgroup.controllers") as file:
                there = file.read().split()
        except OSError:
            there = []
        # a hybrid host's v2 tree has only what v1 does not hold
        for field, controller in (("memory", "memory"), ("cpu", "cpu"), ("pids", "pids"), ("blockIO", "io")):
            if controller not in there:
                config["linux"]["resources"].pop(field, None)
    for mount in config["mounts"]:
        source = mount.get("source", "")
        if source.startswith(path) and not os.path.exists(source):
            os.mkdir(source) if source.endswith("shm") else open(source, "w").close()
    if edit:
        edit(config)
    with open(path + "/config.json", "w") as file:
        json.dump(config, file)
    return path


def spawn(argv):
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
    begin = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    return Sample((time.perf_counter() - begin) * 1e6, usage.ru_minflt, os.waitstatus_to_exitcode(status))


class Runtime:
    def __init__(self, name, path):
        self.name, self.base, self.root = name, [path, "--root", work + "/" + name], work + "/" + name

    def __call__(self, *words):
        return spawn(self.base + list(words))

    def must(self, *words):
        sample = self(*words)
        if sample.code:
            sys.exit("%s %s: exit code %d" % (self.name, " ".join(words), sample.code))
        return sample


def peak(r, *words):
    said = subprocess.run([work + "/rootfs/bin/true", "peak", *r.base, *words], stdin=null, stdout=subprocess.PIPE, stderr=null, text=True).stdout
    return int(said or -1)


def works(runtime):
    bundle = make_bundle("podman", "probe-" + runtime.name, ["/bin/true"])
    if runtime("run", "-b", bundle, "probe").code == 0:
        return True
    runtime("delete", "--force", "probe")
    return False


def runtimes():
    """clade-oci first; BESIDE="NAME=PATH ..." adds others; what cannot run here is said and left out."""
    found = [Runtime("clade-oci", bindir + "/clade-oci")]
    for word in ["crun", "runc"] + os.environ.get("BESIDE", "").split():
        name, _, path = word.rpartition("=")
        if shutil.which(path):
            found.append(Runtime(name or word, shutil.which(path)))
    for runtime in found[1:]:
        if not works(runtime):
            print("%s does not run here" % runtime.name)
            found.remove(runtime)
    return found


def one_life(r, bundles, pause):
    """All commands once; the pause is before each step."""
    box, got = bundles[r.name], {}

    def step(name, *words):
        if pause:
            time.sleep(pause)
        got[name] = r.must(*words)

    step("run", "run", "-b", box["true"], "r")
    step("create", "create", "-b", box["true"], "--pid-file", work + "/pid", "l")
    with open(work + "/pid") as file:
        pid = int(file.read())
    step("start", "start", "l")
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass
    step("delete", "delete", "l")
    step("exec", "exec", "s", "/bin/true")
    step("state", "state", "s")
    step("kill", "kill", "s", "CONT")
    r.must("create", "-b", box["sleep2"], "f")
    r.must("start", "f")
    step("delete -f", "delete", "--force", "f")
    three = [got[name] for name in ("create", "start", "delete")]
    got["create+start+delete"] = Sample(sum(s.us for s in three), sum(s.faults for s in three), 0)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return got
        except ChildProcessError:
            return got


def times(all_of, fixture, count, pause=0.0):
    bundles = {}
    for r in all_of:
        bundles[r.name] = {name: make_bundle(fixture, "%s-%s" % (name, r.name), args) for name, args in (
            ("true", ["/bin/true"]), ("sleep", ["/bin/sleep"]), ("sleep2", ["/bin/sleep"]))}
        r.must("create", "-b", bundles[r.name]["sleep"], "s")
        r.must("start", "s")
    taken = {r.name: collections.defaultdict(list) for r in all_of}
    for turn in range(-2, count):
        for r in random.sample(all_of, len(all_of)):
            for name, sample in one_life(r, bundles, pause).items():
                if turn >= 0:
                    taken[r.name][name].append(sample)
            time.sleep(0.002)
    peaks = {r.name: "run %d, exec %d, state %d" % tuple(peak(r, *words) for words in (
        ("run", "-b", bundles[r.name]["true"], "r"), ("exec", "s", "/bin/true"), ("state", "s"))) for r in all_of}
    for r in all_of:
        r.must("delete", "--force", "s")
    print("%s's configuration, cgroup %s, new network namespace, %d rounds%s; microseconds"
          % (fixture, "v2" if v2 else "v1", count, ", %d ms idle before each step" % (pause * 1e3) if pause else ""))
    print("  %-20s %-10s %9s %9s %16s %8s" % ("", "", "median", "least", "clade-oci / it", "faults"))
    for name in taken["clade-oci"]:
        for r in all_of:
            mine, theirs = taken["clade-oci"][name], taken[r.name][name]
            ratio = statistics.median(a.us / b.us for a, b in zip(mine, theirs))
            print("  %-20s %-10s %9.0f %9.0f %16.3f %8.0f" % (name if r is all_of[0] else "", r.name,
                  statistics.median(s.us for s in theirs), min(s.us for s in theirs), ratio,
                  statistics.median(s.faults for s in theirs)))
    print("  peak memory, KiB: " + "; ".join("%s %s" % item for item in peaks.items()))


def bench_times(all_of):
    for fixture in fixtures:
        times(all_of, fixture, rounds)


def bench_cold(all_of):
    times(all_of, fixtures[0], max(rounds // 4, 5), 0.15)


def traced(r, *words):
    """System calls and processes of one command; the container's own are among them, alike for all."""
    log = work + "/trace"
    subprocess.run(["strace", "-f", "-qq", "-o", log, *r.base, *words], stdin=null, stdout=null, stderr=null)
    with open(log) as file:
        lines = [line for line in file if not re.search(r"resumed>|\+\+\+|---", line)]
    return "%d/%d" % (len(lines), len({line.split()[0] for line in lines}))


def bench_calls(all_of):
    if not shutil.which("strace"):
        print("calls: strace is not installed")
        return
    print("system calls/processes, %s's configuration" % fixtures[0])
    for r in all_of:
        box = make_bundle(fixtures[0], "calls-" + r.name, ["/bin/true"])
        sleep = make_bundle(fixtures[0], "calls-sleep-" + r.name, ["/bin/sleep"])
        told = {"run": traced(r, "run", "-b", box, "r")}
        r.must("create", "-b", sleep, "s")
        for name, words in (("start", ["start", "s"]), ("exec", ["exec", "s", "/bin/true"]), ("state", ["state", "s"]),
                            ("kill", ["kill", "s", "CONT"]), ("delete -f", ["delete", "--force", "s"])):
            told[name] = traced(r, *words)
        print("  %-10s %s" % (r.name, "  ".join("%s %s" % item for item in told.items())))


def bench_limits(all_of):
    print("smallest memory limit for run /bin/true, KiB (three runs of three)")
    if not any(os.path.isdir("/sys/fs/cgroup/" + place) for place in ("memory",)) and v2:
        print("  no memory controller in this view: CGROUPS=v1 shows it")
        return

    def fits(r, pages):
        def edit(config):
            config["linux"]["resources"]["memory"] = {"limit": pages * 4096}
        box = make_bundle(fixtures[0], "limit-" + r.name, ["/bin/true"], edit)
        for n in range(3):
            if r("run", "-b", box, "m%d" % n).code:
                r("delete", "--force", "m%d" % n)
                return False
        return True

    for r in all_of:
        low, high = 0, 4096
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(r, middle) else (middle, high)
        print("  %-10s %d" % (r.name, high * 4))


def crowd_figures(all_of, count):
    """Medians of run and of create, per runtime."""
    taken = collections.defaultdict(list)
    boxes = {r.name: make_bundle(fixtures[0], "crowd-" + r.name, ["/bin/true"]) for r in all_of}
    for _ in range(count):
        for r in random.sample(all_of, len(all_of)):
            taken[r.name, "run"].append(r.must("run", "-b", boxes[r.name], "c").us)
            taken[r.name, "create"].append(r.must("create", "-b", boxes[r.name], "c").us)
            r.must("delete", "--force", "c")
            time.sleep(0.002)
    return {key: statistics.median(values) for key, values in taken.items()}


def bench_crowd(all_of):
    containers, namespaces = int(os.environ.get("CROWD", "1000")), int(os.environ.get("NAMESPACES", "5000"))
    r, count = all_of[0], max(rounds // 2, 5)
    alone = crowd_figures(all_of, count)
    begin = time.perf_counter()
    for n in range(containers):
        box = make_bundle(fixtures[0], "many%d" % n, ["/bin/sleep"])
        r.must("create", "-b", box, "many%d" % n)
        r.must("start", "many%d" % n)
    took = time.perf_counter() - begin
    beside = {"%d containers" % containers: crowd_figures(all_of, count)}
    for n in range(containers):
        r.must("delete", "--force", "many%d" % n)
    crowd = subprocess.Popen([work + "/rootfs/bin/true", "crowd", str(namespaces)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if crowd.stdout.readline():
        beside["%d mount namespaces" % namespaces] = crowd_figures(all_of, count)
    crowd.stdin.close()
    crowd.wait()
    print("beside a crowd, against alone (create+start of its containers: %.0f a second)" % (containers / took))
    for what, figures in beside.items():
        for key in figures:
            print("  %-24s %-10s %-8s %9.0f us, alone %9.0f: %.2f" % (what, *key, figures[key], alone[key], figures[key] / alone[key]))


def clean(all_of):
    for r in all_of:
        for entry in os.listdir(r.root) if os.path.isdir(r.root) else []:
            r("delete", "--force", entry)
    for top, dirs, _ in os.walk("/sys/fs/cgroup", topdown=False):
        if tag in top:
            try:
                os.rmdir(top)
            except OSError:
                pass
    subprocess.run(["umount", "-l", work])
    shutil.rmtree(work, ignore_errors=True)


# what a runtime leaves behind is ours to reap, as it is conmon's and the shim's
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
mount_view()
measured = []
try:
    make_rootfs()
    measured = runtimes()
    for bench in names:
        {"times": bench_times, "cold": bench_cold, "calls": bench_calls, "limits": bench_limits, "crowd": bench_crowd}[bench](measured)
finally:
    clean(measured)
