#!/usr/bin/env python3
"""views.py BINDIR [WHAT...]: the process views beside ps, pstree and lsns; how long reap holds; what events cost.

1000 10000 30000   so many processes, in 30 chains of 2 nested PID namespaces each: as root finds it (the task
                   iterator loaded for the one reading, where that pays), from /proc alone, then through the task
                   iterator pinned in a mount namespace of its own
reap               how long a sleeping program is held
events             microseconds more a fork while `clade events` listens
Wall time and CPU time (user and system), medians; one of each in turn, so that the machine's moods hit all alike.
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

bindir, what = sys.argv[1], sys.argv[2:] or ["1000", "10000", "30000", "reap", "events"]
clade = bindir + "/clade"
here = os.path.dirname(os.path.abspath(__file__))
work = tempfile.mkdtemp(prefix="clade-bench.")
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
PID_MAX = "/proc/sys/kernel/pid_max"


def compile_c(name, *words):
    out = "%s/%s" % (work, name)
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", out, *words], check=True)
    return out


class Crowd:
    def __init__(self, count):
        self.process = subprocess.Popen([work + "/crowd", str(count), "30", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            sys.exit("views.py: the crowd of %d did not come" % count)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def timed(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    code = subprocess.run(command, **quiet, check=False).returncode
    wall = time.perf_counter() - begin
    # clade zombies says 1 where there are some; lsns gives up where a process's name has a line's end in it
    if code and "zombies" not in command:
        sys.exit("views.py: %s: exit status %d" % (" ".join(command), code))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(title, commands, rounds):
    walls = {name: [] for name in commands}
    cpus = {name: [] for name in commands}
    for turn in range(rounds):
        for name, (command, once) in commands.items():
            if turn and once:
                continue
            wall, cpu = timed(command)
            walls[name].append(wall)
            cpus[name].append(cpu)
    print("%s (%d rounds)" % (title, rounds))
    base, base_cpu = statistics.median(walls["ps -ef"]), statistics.median(cpus["ps -ef"])
    for name in commands:
        wall, cpu = statistics.median(walls[name]), statistics.median(cpus[name])
        print("  %-24s median %9.1f ms  %6.3f x ps -ef   CPU %9.1f ms  %6.3f x"
              % (name, wall * 1e3, wall / base, cpu * 1e3, cpu / base_cpu), flush=True)


def views(count):
    old = open(PID_MAX).read().strip()
    raised = count + 5000 > int(old)
    if raised:  # restored below: the number is the whole machine's
        open(PID_MAX, "w").write("4194304")
    try:
        # pstree and lsns are quadratic: once is enough where it takes seconds
        slow = count > 10000
        peers = {
            "ps -ef": (["ps", "-ef"], False),
            "pstree -p": (["pstree", "-p"], slow),
            "lsns -t pid": (["lsns", "-t", "pid"], slow),
        }
        # without the right to load it there is only /proc
        no_bpf = ["setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", clade]
        ours = {
            "clade ps -A, as it is": ([clade, "ps", "-A"], False),
            "clade tree, as it is": ([clade, "tree"], False),
            "clade ps -A": ([*no_bpf, "ps", "-A"], False),
            "clade ps -A -o +args": ([*no_bpf, "ps", "-A", "-o", "+args"], False),
            "clade tree": ([*no_bpf, "tree"], False),
            "clade ns": ([*no_bpf, "ns"], False),
            "clade zombies": ([*no_bpf, "zombies"], False),
        }
        rounds = 11 if count <= 10000 else 5
        with Crowd(count):
            table("%d processes; as it is, then from /proc alone" % count, {**peers, **ours}, rounds)
            if not os.path.exists("/sys/kernel/btf/vmlinux"):
                return
            subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, os.path.abspath(__file__), bindir,
                            "pinned", str(count), str(rounds)], check=True)
    finally:
        if raised:
            open(PID_MAX, "w").write(old)


def pinned(count, rounds):
    subprocess.run(["mount", "-t", "bpf", "bpf", "/sys/fs/bpf"], check=True)
    if subprocess.run([clade, "setup", "bpf"], **quiet, check=False).returncode:
        print("the task iterator cannot be pinned here")
        return
    table("%s processes, pinned iterator" % count, {
        "ps -ef": (["ps", "-ef"], False),
        "clade ps -A": ([clade, "ps", "-A"], False),
        "clade ps -A -o +args": ([clade, "ps", "-A", "-o", "+args"], False),
        "clade tree": ([clade, "tree"], False),
        "clade zombies": ([clade, "zombies"], False),
    }, int(rounds))


def reap():
    source = here + "/../"
    hammer = compile_c("hammer", "-I" + source + "src", source + "tests/reap/hammer.c", source + "src/os/ptrace.c",
                       source + "src/os/ptrace_%s.c" % os.uname().machine)
    sleeper = subprocess.Popen(["sleep", "3600"])
    time.sleep(0.2)
    print("reap, attach to sleep(1): every 5 ms", end=", ")
    print(subprocess.run([hammer, str(sleeper.pid), "400", "5000"], capture_output=True, text=True, check=True).stdout.strip(),
          "(least, median, most)")
    sleeper.kill()
    sleeper.wait()
    for zombies in (1, 1000):
        held = []
        for _ in range(9 if zombies == 1 else 3):
            victim = subprocess.Popen([sys.executable, "-c", """
import os, sys
for i in range(int(sys.argv[1])):
    if os.fork() == 0:
        os._exit(0)
os.execvp("sleep", ["sleep", "3600"])""", str(zombies)])
            time.sleep(0.3 if zombies == 1 else 3)
            out = subprocess.run([clade, "reap", "--own", "--unknown", str(victim.pid)], capture_output=True, text=True,
                                 check=False).stdout
            held += [float(line.split(" held ")[1].split(" us")[0]) for line in out.splitlines() if " held " in line]
            victim.kill()
            victim.wait()
        print("clade reap, %d in one attach: held %.0f us (least %.0f, most %.0f)"
              % (zombies, statistics.median(held), min(held), max(held)))


def fork_cost(listener):
    """Microseconds of wall and CPU time for a fork, exit and wait on the first CPU, the listener on the last."""
    if listener:
        listener = subprocess.Popen(["taskset", "-c", str(os.cpu_count() - 1), *listener], **quiet)
        time.sleep(0.3)
    cost = [float(word) for word in subprocess.check_output(["taskset", "-c", "0", work + "/crowd", "forks", "5000"]).split()]
    if listener:
        listener.kill()
        listener.wait()
    return cost


def events():
    listeners = {
        "nobody listens": None,
        "one takes and forgets": [work + "/crowd", "listen"],
        "clade events": [clade, "events"],
        "clade events -t orphan,zombie": [clade, "events", "-t", "orphan,zombie"],
    }
    costs = {name: [] for name in listeners}
    for _ in range(25):
        for name, listener in listeners.items():
            costs[name].append(fork_cost(listener))
    print("a fork, exit and wait on one CPU, who listens on another (%d rounds)" % len(costs["clade events"]))
    for name, found in costs.items():
        silent = costs["nobody listens"]
        print("  %-30s median %6.2f us, %+6.2f us   CPU %6.2f us, %+6.2f us"
              % (name, statistics.median(c[0] for c in found), statistics.median(c[0] - s[0] for c, s in zip(found, silent)),
                 statistics.median(c[1] for c in found), statistics.median(c[1] - s[1] for c, s in zip(found, silent))), flush=True)


if what[0] == "pinned":
    pinned(*what[1:])
    shutil.rmtree(work)
    sys.exit()
try:
    compile_c("crowd", "-static", here + "/crowd.c")
    for name in what:
        if name.isdigit():
            views(int(name))
        else:
            {"reap": reap, "events": events}[name]()
finally:
    shutil.rmtree(work)
