#!/usr/bin/env python3
"""ills.py SITUATION [ARGS]: makes one of the ills that `clade doctor` knows, and stays in it. Prints "ready" once it is there."""
import ctypes
import os
import platform
import signal
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE = 0x4206
SYS_EXIT = 60 if platform.machine() == "x86_64" else 93


def stay():
    print("ready", flush=True)
    while True:
        time.sleep(1000)


def child(do):
    pid = os.fork()
    if pid == 0:
        do()
        os._exit(0)
    return pid


def own():
    """A zombie that is provably its parent's own: a second thread forked it."""
    threading.Thread(target=lambda: (child(lambda: os._exit(3)), time.sleep(1000))).start()
    stay()


def traced():
    """A zombie whose tracer does not wait."""
    victim = child(lambda: time.sleep(1000))

    def trace():
        if libc.ptrace(PTRACE_SEIZE, victim, None, None) != 0:
            os._exit(1)
        time.sleep(1000)

    child(trace)
    while "TracerPid:\t0" in open("/proc/%d/status" % victim).read():
        time.sleep(0.01)
    os.kill(victim, signal.SIGKILL)
    stay()


def stopped():
    """A parent that would wait if it were not stopped."""
    def parent():
        child(lambda: None)
        os.kill(os.getpid(), signal.SIGSTOP)

    child(parent)
    stay()


def leader_gone():
    """The first thread has ended, another lives."""
    def parent():
        threading.Thread(target=lambda: time.sleep(1000)).start()
        libc.syscall(SYS_EXIT, 0)

    child(parent)
    stay()


def many(n):
    """N children that nobody waits for, one every 20 ms."""
    for _ in range(int(n)):
        child(lambda: None)
        time.sleep(0.02)
    stay()


def held(init):
    """From outside: a process in init's PID namespace that is not waited for."""
    fd = os.open("/proc/%s/ns/pid" % init, os.O_RDONLY)
    if libc.setns(fd, 0) != 0:
        sys.exit("setns: %s" % os.strerror(ctypes.get_errno()))
    child(lambda: time.sleep(1000))
    stay()


globals()[sys.argv[1]](*sys.argv[2:])
