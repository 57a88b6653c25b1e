"""The program `az` in the tests. Logs each call, and runs the call in az-server.py.

The User-Agent of Azure requests contains the number of the call. With AZ_KILL_AFTER, the program kills the tested
script after a given call.

Environment variables:
AZ_SOCKET: path of the socket of az-server.py.
AZ_LOG: log file. Each call appends its arguments as one line of JSON.
AZ_KILL_AFTER: a line in the format of the log. After the call with these arguments, the whole process group is killed.
"""
import array
import fcntl
import json
import os
import signal
import socket
import sys

line = json.dumps(sys.argv[1:])
with open(os.environ["AZ_LOG"], "a+") as log:
    fcntl.flock(log, fcntl.LOCK_EX)
    log.seek(0)
    number = len(log.readlines())
    log.write(line + "\n")

server = socket.socket(socket.AF_UNIX)
server.connect(os.environ["AZ_SOCKET"])
environment = {**os.environ, "AZURE_HTTP_USER_AGENT": f"meshops-call/{number}"}
message = json.dumps({"argv": sys.argv[1:], "env": environment, "cwd": os.getcwd()}).encode()
server.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
answer = server.recv(1)
if os.environ.get("AZ_KILL_AFTER") == line:
    os.killpg(os.getpgrp(), signal.SIGKILL)
sys.exit(answer[0] if answer else 1)
