#!/usr/bin/env python3
"""containers.py BINDIR [NAME...]: clade's containers beside podman's (with crun) and crun's own.

start   run --rm of /bin/true; exec of /bin/true in a running container (all of them with loopback alone)
net     run --rm of /bin/true with networks: private, a bridge, beside podman's; in a network namespace of their own
rate    containers of `sleep infinity` started one after the other, and how long each takes with more running
keep    memory of clade-keep
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

bindir, names = sys.argv[1], sys.argv[2:] or ["start", "net", "exec", "keep", "rate"]
clade = bindir + "/clade"
work = tempfile.mkdtemp(prefix="clade-bench.")
root = work + "/state"
rootfs = work + "/rootfs"
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_rootfs():
    os.makedirs(rootfs + "/bin")
    shutil.copy(shutil.which("busybox"), rootfs + "/bin/busybox")
    for name in ("true", "sleep", "sh"):
        os.symlink("busybox", rootfs + "/bin/" + name)


# podman raises limits by default, which not every root may
limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]


def timed(command):
    begin = time.perf_counter()
    code = subprocess.run(command, **quiet).returncode
    return time.perf_counter() - begin, code


def compare(title, commands, rounds):
    """commands: name -> argv; the first is clade's. One of each a round, so that the machine's moods hit all alike."""
    times = {name: [] for name in commands}
    failed = {name: 0 for name in commands}
    order = list(commands.items())
    for _ in range(rounds):
        # whoever comes first finds the kernel's locks cold: that is everybody's turn
        order.append(order.pop(0))
        for name, command in order:
            seconds, code = timed(command() if callable(command) else command)
            failed[name] += code != 0
            times[name].append(seconds)
    ours = statistics.median(times["clade"])
    print("%s (%d rounds)" % (title, rounds))
    for name, all_of in times.items():
        median = statistics.median(all_of)
        print("  %-12s median %8.2f ms   clade/%s %.3f%s"
              % (name, median * 1e3, name, ours / median, "   FAILED %d" % failed[name] if failed[name] else ""))


def bundle():
    path = work + "/bundle"
    os.makedirs(path)
    subprocess.run(["crun", "spec"], cwd=path, check=True, **quiet)
    with open(path + "/config.json") as file:
        config = json.load(file)
    config["process"]["terminal"] = False
    config["process"]["args"] = ["/bin/true"]
    config["root"] = {"path": rootfs, "readonly": False}
    with open(path + "/config.json", "w") as file:
        json.dump(config, file)
    return path


def podman(*words):
    return ["podman", "--root", work + "/podman", "--runroot", work + "/podman-run", "--runtime", "crun",
            "--cgroup-manager", "cgroupfs", "--log-level", "fatal", *words]


def peers_run():
    commands = {"clade": [clade, "--root", root, "run", "--rm", "--network", "none", "dir:" + rootfs, "/bin/true"]}
    counter = [0]

    def crun():
        counter[0] += 1
        return ["crun", "--root", work + "/crun", "run", "-b", path, "b%d" % counter[0]]

    if shutil.which("crun"):
        path = bundle()
        commands["crun"] = crun
    if shutil.which("podman"):
        commands["podman"] = podman("run", "--rm", *limits, "--network", "none", "--rootfs", rootfs, "/bin/true")
    # a peer that cannot run here is not measured
    return {name: c for name, c in commands.items() if name == "clade" or timed(c() if callable(c) else c)[1] == 0}


def bench_start():
    compare("run --rm dir:ROOTFS /bin/true", peers_run(), 40)


def bench_net():
    """Bridges and their rules must not touch the machine's own: everything runs in a namespace with a dead end for an uplink."""
    if not os.environ.get("CLADE_BENCH_NET"):
        setup = ("mount --make-rprivate / && ip link set lo up && ip link add up0 type veth peer name up1 && ip addr add 192.0.2.10/24 dev up0 && "
                 "ip link set up0 up && ip link set up1 up && ip route add default via 192.0.2.1 && exec \"$@\"")
        subprocess.run(["unshare", "--net", "--mount", "sh", "-c", setup, "sh", sys.executable, __file__, bindir, "net"],
                       env=dict(os.environ, CLADE_BENCH_NET="1"), check=True)
        return
    run = [clade, "--root", root, "--data-root", work + "/data", "run", "--rm"]
    commands = {"clade": run + ["dir:" + rootfs, "/bin/true"]}
    commands["clade, no network"] = run + ["--net", "none", "dir:" + rootfs, "/bin/true"]
    commands["clade, a port"] = run + ["-p", "18080:80", "dir:" + rootfs, "/bin/true"]
    commands["clade, bridge"] = run + ["--net", "bridge", "dir:" + rootfs, "/bin/true"]
    if shutil.which("podman"):
        # its default for root is a bridge, for a user pasta or slirp4netns
        for runtime in ("crun", "runc"):
            command = podman("--runtime", runtime, "run", "--rm", *limits, "--network", "bridge", "--rootfs", rootfs, "/bin/true")
            if timed(command)[1] == 0:
                commands["podman, bridge"] = command
                break
    compare("run --rm with networks", {n: c for n, c in commands.items() if n == "clade" or timed(c)[1] == 0}, 20)
    name = subprocess.run(run[:-1] + ["-d", "dir:" + rootfs, "sleep", "1000"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    with open(root + "/" + name + "/pasta.pid") as file:
        values = memory(int(file.read()))
    print("pasta of one container: PSS %d KiB, private dirty %d KiB" % (values["Pss"], values["Private_Dirty"]))


def bench_exec():
    subprocess.run([clade, "--root", root, "run", "-d", "--name", "box", "--network", "none", "dir:" + rootfs, "sleep", "1000"], check=True, **quiet)
    commands = {"clade": [clade, "--root", root, "exec", "box", "/bin/true"]}
    if shutil.which("podman") and timed(podman("run", "-d", *limits, "--name", "box", "--network", "none", "--rootfs", rootfs, "sleep", "1000"))[1] == 0:
        commands["podman"] = podman("exec", "box", "/bin/true")
    if shutil.which("crun"):
        path = work + "/bundle-exec"
        shutil.copytree(bundle() if not os.path.exists(work + "/bundle") else work + "/bundle", path)
        with open(path + "/config.json") as file:
            config = json.load(file)
        config["process"]["args"] = ["/bin/sleep", "1000"]
        with open(path + "/config.json", "w") as file:
            json.dump(config, file)
        if timed(["crun", "--root", work + "/crun", "run", "-d", "-b", path, "box"])[1] == 0:
            commands["crun"] = ["crun", "--root", work + "/crun", "exec", "box", "/bin/true"]
    compare("exec CONTAINER /bin/true", commands, 40)
    subprocess.run([clade, "--root", root, "rm", "-f", "box"], **quiet)
    subprocess.run(podman("rm", "-f", "-t", "0", "box"), **quiet)
    subprocess.run(["crun", "--root", work + "/crun", "delete", "-f", "box"], **quiet)


def memory(pid):
    values = {}
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                values[words[0].rstrip(":")] = int(words[1])
    return values


def bench_keep():
    ids = []
    for _ in range(10):
        ids.append(subprocess.run([clade, "--root", root, "run", "-d", "--network", "none", "dir:" + rootfs, "sleep", "1000"],
                                  stdout=subprocess.PIPE, check=True, text=True).stdout.strip())
    pss, dirty, wakes = [], [], []
    keeps = [int(p) for p in subprocess.run(["pgrep", "-f", "clade-keep.* " + root], stdout=subprocess.PIPE, text=True).stdout.split()]

    def switches(pid):
        with open("/proc/%d/status" % pid) as file:
            return sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)

    before = {pid: switches(pid) for pid in keeps}
    time.sleep(5)
    for pid in keeps:
        values = memory(pid)
        pss.append(values["Pss"])
        dirty.append(values["Private_Dirty"])
        wakes.append(switches(pid) - before[pid])
    print("clade-keep, %d of them idle for 5 s: PSS %d KiB, private dirty %d KiB (medians), wake-ups in all %d"
          % (len(keeps), statistics.median(pss), statistics.median(dirty), sum(wakes)))
    subprocess.run([clade, "--root", root, "rm", "-f", *ids], **quiet)


def bench_rate():
    count, ids, times = int(os.environ.get("COUNT", "1000")), [], []
    for _ in range(count):
        begin = time.perf_counter()
        ids.append(subprocess.run([clade, "--root", root, "run", "-d", "--network", "none", "dir:" + rootfs, "sleep", "infinity"],
                                  stdout=subprocess.PIPE, check=True, text=True).stdout.strip())
        times.append(time.perf_counter() - begin)
    tenth = count // 10
    first, last = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
    print("run -d of %d containers, all left running: %.0f a second; median of the first %d: %.2f ms, of the last %d: %.2f ms, ratio %.2f"
          % (count, count / sum(times), tenth, first * 1e3, tenth, last * 1e3, last / first))
    begin = time.perf_counter()
    subprocess.run([clade, "--root", root, "rm", "-f", *ids], check=True, **quiet)
    print("rm -f of them all: %.2f ms each" % ((time.perf_counter() - begin) / count * 1e3))


make_rootfs()
try:
    for name in names:
        {"start": bench_start, "net": bench_net, "exec": bench_exec, "keep": bench_keep, "rate": bench_rate}[name]()
finally:
    left = subprocess.run([clade, "--root", root, "ps", "-aq"], stdout=subprocess.PIPE, text=True).stdout.split()
    if left:
        subprocess.run([clade, "--root", root, "rm", "-f", *left], **quiet)
    shutil.rmtree(work, ignore_errors=True)
