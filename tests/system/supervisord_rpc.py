"""What a supervisor's XML-RPC answers, for people: supervisord_rpc.py SOCKET, printed so that two can be compared."""
import http.client
import socket
import sys
import time
import xmlrpc.client


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


class Transport(xmlrpc.client.Transport):
    def make_connection(self, host):
        return Connection(host)


server = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=Transport())
VOLATILE = {"start", "stop", "now", "pid", "description", "logfile", "stdout_logfile", "stderr_logfile"}


def plain(value):
    """Without what is another one each time."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in sorted(value.items()) if key not in VOLATILE}
    return value


def show(what, method, *params):
    try:
        print(what, plain(method(*params)))
    except xmlrpc.client.Fault as fault:
        print(what, "fault", fault.faultCode, fault.faultString)


def wait_for(words, of="a"):
    deadline = time.monotonic() + 60
    while words not in server.supervisor.readProcessStdoutLog(of, 0, 0):
        if time.monotonic() > deadline:
            sys.exit("waited in vain for " + words)
        time.sleep(0.05)


names = server.system.listMethods()
print("\n".join(names))
for name in names:
    show("signature of " + name, server.system.methodSignature, name)
show("signature of nothing", server.system.methodSignature, "nothing")
show("help of nothing", server.system.methodHelp, "nothing")
print("help", all(server.system.methodHelp(name) for name in names))

wait_for("0123456789")
for offset, length in ((0, 0), (0, 4), (0, 10), (0, 11), (0, 100), (6, 5), (7, 100), (10, 10), (11, 0), (11, 5), (99, 1), (-3, 4)):
    show(f"tail {offset} {length}", server.supervisor.tailProcessStdoutLog, "a", offset, length)
show("tail of errors", server.supervisor.tailProcessStderrLog, "a", 0, 100)
show("tail of nobody", server.supervisor.tailProcessLog, "nobody", 0, 100)
show("event", server.supervisor.sendRemoteCommEvent, "type", "data")
show("configuration", server.supervisor.getAllConfigInfo)


def calls(*each):
    return [{"methodName": name, "params": list(params)} for name, *params in each]


multicall = server.system.multicall
show("no calls", multicall, [])
show("state and more", multicall, calls(
    ("supervisor.getState",),
    ("supervisor.getProcessInfo", "nobody"),
    ("supervisor.nonsense",),
    ("nonsense",),
    ("supervisor.getProcessInfo",),
    ("system.methodSignature", "supervisor.getState"),
    ("system.multicall", []),
    ("supervisor.tailProcessStdoutLog", "a", 0, 4),
    ("supervisor.readProcessStdoutLog", "a", 0, 3)))
show("one that waits between others", multicall, calls(
    ("supervisor.getProcessInfo", "b"),
    ("supervisor.startProcess", "b"),
    ("supervisor.startProcess", "b"),
    ("supervisor.getProcessInfo", "b"),
    ("supervisor.stopProcessGroup", "b"),
    ("supervisor.stopProcess", "b", False),
    ("supervisor.startAllProcesses", True),
    ("supervisor.getAPIVersion",)))
show("no name", multicall, [{"params": []}, {"methodName": "supervisor.getState"}])
show("its end", multicall, calls(("supervisor.shutdown",), ("supervisor.getState",), ("system.methodSignature", "supervisor.getState")))
