#!/usr/bin/env python3
"""terminal.py SCRIPT COMMAND...: COMMAND on a pseudo-terminal.

SCRIPT has lines `TEXT=>PATTERN`: TEXT (with \\r, \\x1a ...) is typed, then PATTERN must show up (60 s). `SIZE r c=>PATTERN`
changes the window. All output goes to standard output; the exit code is COMMAND's, 99 when a pattern did not come.
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
seen = 0


def read_some(seconds):
    global shown
    ready, _, _ = select.select([fd], [], [], seconds)
    if not ready:
        return True
    try:
        data = os.read(fd, 65536)
    except OSError:
        return False
    shown += data
    return bool(data)


def wait_for(pattern):
    global seen
    end = time.time() + 60
    while time.time() < end:
        found = re.search(pattern.encode(), shown[seen:])
        if found:
            seen += found.end()
            return True
        if not read_some(0.1) and not re.search(pattern.encode(), shown[seen:]):
            return False
    return False


ok = True
for line in sys.argv[1].split("\n"):
    if not line:
        continue
    text, _, pattern = line.partition("=>")
    if text.startswith("SIZE "):
        rows, cols = map(int, text.split()[1:])
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
    elif text:
        os.write(fd, text.encode().decode("unicode_escape").encode())
    if pattern and not wait_for(pattern):
        ok = False
        sys.stderr.write("did not come: %s\n" % pattern)
        os.kill(pid, 9)
        break
end = time.time() + 60
while ok and read_some(1):
    if time.time() > end:
        sys.stderr.write("does not end\n")
        os.kill(pid, 9)
        ok = False
flags = termios.tcgetattr(fd)[3]
sys.stdout.buffer.write(shown)
print("\n[terminal: %s]" % ("cooked" if flags & termios.ICANON and flags & termios.ECHO else "raw"))
sys.stdout.flush()
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(99 if not ok else code if code >= 0 else 128 - code)
