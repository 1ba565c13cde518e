#!/usr/bin/env python3
"""The same command under tini, dumb-init and catatonit, and under clade-init in their place: exit code, words, the child's
place and its signals are the same. init_compat.py PART CLADE-INIT; prints each difference, and ends with 1 if there is one."""
import collections
import ctypes
import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import termios
import time

LIMIT = 60  # seconds for anything that has to happen
CLONE_NEWPID, CLONE_NEWNS = 0x20000000, 0x20000
libc = ctypes.CDLL(None, use_errno=True)

# What a child sees of itself, as JSON into the file named first
PROBE = r"""
import json, os, sys
def status(pid, key):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(key + ":"):
            return line.split()[1]
me, parent = os.getpid(), os.getppid()
def who(n):
    return {me: "me", parent: "init", 0: "0", -1: "none"}.get(n, "other")
stat = open("/proc/self/stat").read().rsplit(")", 1)[1].split()
fds = sorted(int(f) for f in os.listdir("/proc/self/fd"))
json.dump({"group": who(os.getpgrp()), "session": who(os.getsid(0)), "foreground": who(int(stat[5])),
    "terminal": stat[4] != "0", "blocked": status(me, "SigBlk"), "ignored": status(me, "SigIgn"), "cwd": os.getcwd(),
    "fds": [f for f in fds if f < 20 and os.path.exists(f"/proc/self/fd/{f}")],
    "listen": {str(me): "me", str(parent): "init"}.get(os.environ.get("LISTEN_PID"), os.environ.get("LISTEN_PID")),
    "args": sys.argv[2:]}, open(sys.argv[1], "w"))
"""

# Tells of every signal that reaches it, one a line
RECORDER = r"""
import os, signal, sys
every = [s for s in range(1, 65) if s not in (9, 19, 32, 33)]
signal.pthread_sigmask(signal.SIG_BLOCK, every)
out = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(out, b"ready %d\n" % os.getpid())
while True:
    os.write(out, b"%d\n" % signal.sigwaitinfo(every).si_signo)
"""


def until(what, condition):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not in {LIMIT} s: {what}")
        time.sleep(0.005)


def alive(pid):
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def start(path, words, env=None, pid1=False, terminal=None, out=None, before=None, name=None):
    """A child that becomes path with these words. pid1: of a PID namespace. terminal: the slave's name, which it leads."""
    if pid1:
        # who makes the namespace is not in it: its first child is PID 1
        if libc.unshare(CLONE_NEWPID) < 0:
            raise OSError(ctypes.get_errno(), "unshare")
    pid = os.fork()
    if pid == 0:
        try:
            if pid1:
                libc.unshare(CLONE_NEWNS)
                libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None)
                libc.mount(b"proc", b"/proc", b"proc", 0, None)
            os.setsid()
            fd = os.open(terminal or "/dev/null", os.O_RDWR)
            if terminal:
                fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
            os.dup2(fd, 0)
            os.dup2(out[0] if out else fd, 1)
            os.dup2(out[1] if out else fd, 2)
            os.closerange(3, 256)
            if before:
                before()
            os.execve(path, [name or os.path.basename(path)] + words, env if env is not None else dict(os.environ))
        except BaseException as e:
            os.write(2, repr(e).encode())
        os._exit(99)
    return pid


def in_namespace(function, *args, **more):
    """unshare(2) is for all later children: each namespace's maker is a process of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            os.write(write, json.dumps(function(*args, **more)).encode())
            os._exit(0)
        except BaseException as e:
            os.write(2, f"{function.__name__} {args[:2]}: {e!r}\n".encode())
        os._exit(1)
    os.close(write)
    text = b""
    while chunk := os.read(read, 65536):
        text += chunk
    os.close(read)
    os.waitpid(pid, 0)
    return json.loads(text) if text else "broken"


def plain(text):
    """What differs from run to run and from version to version is taken out."""
    text = re.sub(r" \(clade-init [0-9.]+\)( - git\.clade)?", "", text)
    text = re.sub(r"tini version [0-9.]+_catatonit", "tini version V_catatonit", text)
    text = re.sub(r"(\(|pid '|pid: '|pid=|PID |process |catatonit:|pid1 \()\d+", r"\1N", text)
    return text


def read_all(fd):
    os.lseek(fd, 0, os.SEEK_SET)
    return os.read(fd, 1 << 20).decode(errors="replace")


def run_case(path, words, env, pid1, probe, before, name=None):
    with tempfile.TemporaryDirectory() as d, open(d + "/out", "w+b") as out, open(d + "/err", "w+b") as err:
        os.chmod(d, 0o755)
        seen = d + "/seen"
        words = [seen if w == "SEEN" else w for w in words]
        pid = start(path, words, {**os.environ, **env}, pid1, None, (out.fileno(), err.fileno()), before, name)
        end = time.monotonic() + LIMIT
        while alive(pid):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.003)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        # init and child write at the same time
        result = {"code": code, **{k: sorted(plain(read_all(f.fileno())).split("\n")) for k, f in (("out", out), ("err", err))}}
        if probe:
            result["probe"] = json.load(open(seen)) if os.path.exists(seen) else None
        return json.loads(json.dumps(result).replace(d, "DIR"))


def ignore_chld():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def odd_signals():
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1, signal.SIGWINCH])


def open_fds():
    os.dup2(0, 5)
    os.dup2(0, 9)


# program, words, environment, what is compared beside code and words
SH = ["sh", "-c"]
PROBED = ["python3", "-c", PROBE, "SEEN", "a", "-b", "--"]
CASES = [("tini", w, e) for w, e in [
    ([], {}), (["--version"], {}), (["--version", "true"], {}), (["-h"], {}), (["-Z", "true"], {}), (["true"], {}),
    (["--", "true"], {}), (["--", "false"], {}), (["-e"], {}), (["-e", "x", "true"], {}), (["-e", "256", "true"], {}),
    (["-e", "-1", "true"], {}), (["-e", " 3", "--", *SH, "exit 3"], {}), (["-e3", "--", *SH, "exit 3"], {}),
    (["-e", "143", "--", *SH, "kill $$"], {}), (["-e", "3", "-e", "4", "--", *SH, "exit 4"], {}), (["-e", "", "--", *SH, "exit 5"], {}),
    (["-p", "9", "true"], {}), (["-p", "KILL", "true"], {}), (["-p", "SIGKILL", "true"], {}), (["-p", "sigkill", "true"], {}),
    (["-p", "SIGPWR", "true"], {}), (["-p", "SIGIO", "true"], {}), (["-p", "SIGRTMIN", "true"], {}), (["-pSIGTERM", "true"], {}),
    (["sh", "-c", "exit 3"], {}), (["sh", "-e", "x"], {}), (["echo", "-g", "a", "-w"], {}), (["echo", "--", "-g"], {}),
    (["echo", "a", "--", "b", "-g"], {}), (["-gws", "echo", "a"], {}), (["echo", "-e", "5", "a"], {}), (["echo", "-", "a"], {}),
    (["sh", "-c", "exit 3"], {"POSIXLY_CORRECT": "1"}), (["--foo", "true"], {}), (["-v", "--foo"], {}),
    (["nope"], {}), (["/etc/passwd"], {}), (["/etc/passwd/x"], {}), (["/"], {}), (["-s", "nope"], {}), ([""], {}),
    (["-v", "--", *SH, "exit 3"], {}), (["-vv", "--", *SH, "exit 3"], {}), (["-vvv", "--", *SH, "exit 3"], {}),
    (["-vvvv", "--", *SH, "kill -9 $$"], {}), (["-vvv", "-s", "--", *SH, "kill -FPE $$"], {}), (["-vvv", "nope"], {}),
    (["true"], {"TINI_VERBOSITY": "0"}), (["true"], {"TINI_VERBOSITY": "3"}), (["-vvv", "true"], {"TINI_VERBOSITY": "x"}),
    (["true"], {"TINI_SUBREAPER": ""}), (["--", *SH, "(sleep 0.1 &); sleep 0.3"], {"TINI_SUBREAPER": "1"}),
    (["-w", "-s", "--", *SH, "(sleep 0.1 &); sleep 0.4"], {}), (["-w", "--", *SH, "(sleep 0.1 &); sleep 0.4"], {}),
    (["--", *SH, "echo out; echo err >&2; exit 200"], {}), (["--", *SH, "kill -KILL $$"], {}), (["--", "DIR/script"], {}),
]] + [("dumb-init", w, e) for w, e in [
    ([], {}), (["-V"], {}), (["--version"], {}), (["-h"], {}), (["--help"], {}), (["--hel"], {}), (["--ver"], {}), (["--verb", "true"], {}),
    (["--foo"], {}), (["-Z"], {}), (["--rewrite"], {}), (["-r"], {}), (["--help=3"], {}), (["true"], {}), (["false"], {}),
    (["sh", "-c", "exit 7"], {}), (["--", *SH, "exit 7"], {}), (["-c", *SH, "kill -9 $$"], {}), (["-cv", *SH, "exit 3"], {}),
    (["-v", *SH, "exit 3"], {}), (["-v", *SH, "kill $$"], {}), (["-v", "nope"], {}), (["nope"], {}), (["/etc/passwd"], {}), (["/"], {}),
    ([""], {}), (["-r", "0:1", "true"], {}), (["-r", "15", "true"], {}), (["-r", "99:1", "true"], {}), (["-r", "15:-1", "true"], {}),
    (["-r", "x:y", "true"], {}), (["-r15:3", "true"], {}), (["--rewrite=15:3", "true"], {}), (["--rew", "15:3", "true"], {}),
    (["-r", "15:0", "-v", "true"], {}), (["-r", "15:2", "-v", "true"], {}), (["-", "true"], {}), (["echo", "-v"], {}),
    (["true"], {"DUMB_INIT_DEBUG": "1"}), (["true"], {"DUMB_INIT_DEBUG": "2"}), (["-v", "true"], {"DUMB_INIT_SETSID": "0"}),
    (["-v", "true"], {"DUMB_INIT_SETSID": "1"}), (["true"], {"DUMB_INIT_SETSID": "0", "DUMB_INIT_DEBUG": "1"}),
    (["-V", "-Z"], {}), (["-v", "-h"], {}), (["-v", *SH, "(exit 5) & wait; exit 6"], {}), (["DIR/script"], {}),
]] + [("catatonit", w, e) for w, e in [
    ([], {}), (["-V"], {}), (["--version"], {}), (["--vers"], {}), (["--version", "true"], {}), (["-h"], {}), (["--help"], {}),
    (["-Z"], {}), (["--foo"], {}), (["--version=2"], {}), (["true"], {}), (["false"], {}), (["sh", "-c", "exit 7"], {}),
    (["--", *SH, "exit 7"], {}), (["-g", "--", *SH, "kill -9 $$"], {}), (["echo", "-g", "a"], {}), (["sh", "-gc", "x"], {}),
    (["nope"], {}), (["/etc/passwd"], {}), (["/"], {}), ([""], {}), (["true"], {"CATATONIT_LOG": ""}), (["-V"], {"CATATONIT_LOG": "x"}),
    (["true"], {"CATATONIT_DEBUG": ""}), (["--", *SH, "exit 3"], {"CATATONIT_DEBUG": "1"}), (["nope"], {"CATATONIT_DEBUG": "1"}),
    (["--", *SH, "(sleep 0.1 &); sleep 0.3; exit 3"], {"CATATONIT_DEBUG": "1"}), (["DIR/script"], {}),
]]
# the child's place
PLACES = [("tini", ["--", *PROBED]), ("tini", ["-g", "--", *PROBED]), ("tini", ["-s", "--", *PROBED]), ("dumb-init", PROBED),
    ("dumb-init", ["-c", *PROBED]), ("catatonit", ["--", *PROBED]), ("catatonit", ["-g", "--", *PROBED])]

# Kept otherwise on purpose (clade-init(1), DIFFERENCES)
def on_purpose(program, result):
    p = result.get("probe")
    if p:
        if program == "catatonit":  # it starts its child with TSTP, TTIN and TTOU blocked
            p["blocked"] = f"{int(p['blocked'], 16) & ~0x380000:016x}"
        if program == "dumb-init":  # it does away with the mask and with what is ignored
            p["blocked"] = p["ignored"] = "any"
        if program != "catatonit":  # they leave it at their own
            p["listen"] = "any"
    return result


def compare(what, program, theirs, ours, differences):
    theirs, ours = on_purpose(program, theirs) if isinstance(theirs, dict) else theirs, ours
    ours = on_purpose(program, ours) if isinstance(ours, dict) else ours
    if theirs != ours:
        differences.append(what)
        print(f"{program} {what}\n  theirs: {json.dumps(theirs)}\n  ours:   {json.dumps(ours)}")


def real(program):
    return f"/usr/bin/{program}"


def part_words(ours, differences):
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        with open(d + "/script", "w") as f:
            f.write("echo a script without a first line; exit 9\n")
        os.chmod(d + "/script", 0o755)
        for program, words, env in CASES:
            words = [w.replace("DIR", d) for w in words]
            # two processes of catatonit write to one pipe, now and then into each other's lines
            for _ in range(5 if env else 1):
                got = [run_case(p, words, env, False, False, None, program) for p in (real(program), ours)]
                if got[0] == got[1]:
                    break
            compare(f"{words} {env}", program, *got, differences)


def part_place(ours, differences):
    for program, words in PLACES:
        for before in (None, odd_signals, open_fds):
            for pid1 in (False, os.geteuid() == 0):
                got = [in_namespace(run_case, p, words, {}, pid1, True, before, program) for p in (real(program), ours)]
                compare(f"{words[:-4]} {before.__name__ if before else ''} {pid1}", program, *got, differences)


def terminal_case(path, program, words, keys, pid1):
    """keys: typed when the child has told of itself. What the child saw, and how all ended."""
    master, slave = os.openpty()
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        words = [d + "/seen" if w == "SEEN" else w for w in words]
        pid = start(path, words, None, pid1, os.ttyname(slave), None, None, program)
        os.close(slave)
        text, sent, end = b"", False, time.monotonic() + LIMIT
        os.set_blocking(master, False)
        while True:
            try:
                chunk = os.read(master, 4096)
                text += chunk
            except BlockingIOError:
                pass
            except OSError:
                pass
            if b"ready" in text and not sent:
                os.write(master, keys)
                sent = True
            if not alive(pid):
                break
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                text += b"[never ended]"
            time.sleep(0.005)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        # what is still on its way comes before EIO, which says that nobody has the other end
        while time.monotonic() < end:
            try:
                text += os.read(master, 4096)
            except BlockingIOError:
                time.sleep(0.005)
            except OSError:
                break
        os.close(master)
        seen = json.load(open(d + "/seen")) if os.path.exists(d + "/seen") else None
        return {"code": code, "words": sorted(plain(text.decode(errors="replace")).split("\r\n")), "probe": seen}


# the terminal: who has it, whom Ctrl-C ends, a shell's job control
TYPED = [("ctrl-c", [*SH, "echo ready; exec sleep 1000"], b"\x03"),
    ("ctrl-c under a shell", [*SH, "sh -c 'echo ready; exec sleep 1000'; exit 5"], b"\x03"),
    ("a line", [*SH, "echo ready; read x; echo got $x; exit 4"], b"hello\n"),
    ("quit", [*SH, "ulimit -c 0; echo ready; exec sleep 1000"], b"\x1c"),
    ("jobs", ["bash", "--norc", "-mic", "sh -c \"echo ready; exec sleep 1000\"; echo stopped; kill -9 %1; exec sh -c 'exit 3'"], b"\x1a")]


def part_terminal(ours, differences):
    flags = {"tini": [["--"], ["-g", "--"]], "dumb-init": [[], ["-c"]], "catatonit": [["--"]]}
    for pid1 in ([False, True] if os.geteuid() == 0 else [False]):
        for program in flags:
            for flag in flags[program]:
                got = [in_namespace(terminal_case, p, program, [*flag, *PROBED], b"", pid1) for p in (real(program), ours)]
                compare(f"place {flag} pid1 {pid1}", program, *got, differences)
                for name, words, keys in TYPED:
                    if name == "jobs" and program == "catatonit":
                        continue  # it breaks job control
                    got = [in_namespace(terminal_case, p, program, [*flag, *words], keys, pid1) for p in (real(program), ours)]
                    compare(f"{name} {flag} pid1 {pid1}", program, *got, differences)


MARK = 64


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "gone"


def signals_case(path, program, words, pid1):
    """signal -> what the child got of it, or how init ended"""
    result = {}
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        log = d + "/log"
        lines = lambda: open(log).read().split("\n")[:-1] if os.path.exists(log) else []
        pid = None
        for signo in [s for s in range(1, 65) if s not in (9, 17, 19, 32, 33, MARK)]:
            if pid is None:
                if os.path.exists(log):
                    os.unlink(log)
                # a namespace's next PID 1 needs a namespace of its own
                pid = start(path, [*words, "python3", "-c", RECORDER, log], None, pid1, None, None, None, program)
                until("a child", lambda: lines())
                with open(f"/proc/{pid}/task/{pid}/children") as f:
                    child = int(f.read().split()[0])
                fresh = 1
            before = len(lines())
            os.kill(pid, signo)
            stopped = False
            marked = time.monotonic()
            os.kill(pid, MARK)
            while True:
                got = lines()[before:]
                if not alive(pid):
                    break
                if str(MARK) in got:
                    break
                if state_of(pid) == "T":  # dumb-init that stopped itself
                    stopped = True
                    os.kill(pid, signal.SIGCONT)
                if state_of(child) == "T":
                    stopped = True
                    os.kill(child, signal.SIGCONT)
                if time.monotonic() > marked + LIMIT:
                    got.append("never")
                    break
                time.sleep(0.002)
            if not alive(pid):
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                result[signo] = f"init ended with {status}"
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                pid = None
                if pid1:
                    break
                continue
            if stopped:  # what resumes it takes a stop signal back that it has not looked at yet
                got = [g for g in got if g != str(signo)]
            result[signo] = [g for g in got if g not in (str(MARK), "18") or int(g) == signo] + (["stopped"] if stopped else [])
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            try:
                if not pid1:
                    os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
    return result


def part_signals(ours, differences):
    modes = [("tini", ["--"]), ("tini", ["-g", "--"]), ("dumb-init", []), ("dumb-init", ["-c"]), ("catatonit", ["--"]),
        ("catatonit", ["-g", "--"]), ("dumb-init", ["-r", "15:3", "-r", "1:0", "-r", "20:10", "-r", "2:17"])]
    for pid1 in ([False, True] if os.geteuid() == 0 else [False]):
        for program, words in modes:
            theirs, mine = [in_namespace(signals_case, p, program, words, pid1) for p in (real(program), ours)]
            if isinstance(theirs, str) or isinstance(mine, str):
                compare(f"signals {words}", program, theirs, mine, differences)
                continue
            for signo in sorted({*theirs, *mine}, key=int):
                compare(f"{words} signal {signo} pid1 {pid1}", program, theirs.get(signo), mine.get(signo), differences)
            if len(mine) < 50:
                differences.append("too few signals were tried")
                print(f"{program} {words}: {mine}")


PARTS = {"words": part_words, "place": part_place, "terminal": part_terminal, "signals": part_signals}

if __name__ == "__main__":
    differences = []
    PARTS[sys.argv[1]](sys.argv[2], differences)
    if differences:
        print(f"{len(differences)} differences")
    sys.exit(1 if differences else 0)
