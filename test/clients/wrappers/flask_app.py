"""flask-ngrok, unmodified, with our command in the place of its binary. Argument: how many starts.

It shares port 5000, asks port 4040 of its machine (a network namespace of its own), and looks for its binary below the
folder for temporary files. It waits one second for the agent and looks once, whatever the machine is busy with: a race of
its own. Here that wait ends when the agent shows a tunnel, since how soon the agent starts is measured elsewhere.
"""
import os
import re
import signal
import ssl
import http.client
import socket
import subprocess
import sys
import threading
import time
import types

import requests

# Seconds after which an app that prints no address is asked to end.
DEADLINE = 120


def await_tunnel(_seconds):
    while True:
        try:
            if requests.get("http://localhost:4040/api/tunnels").json()["tunnels"]:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)


def serve():
    import flask_ngrok
    from flask import Flask

    flask_ngrok.time = types.SimpleNamespace(sleep=await_tunnel)
    app = Flask("app")
    app.add_url_rule("/seen", view_func=lambda: "from flask", endpoint="seen")
    flask_ngrok.run_with_ngrok(app)
    app.run()


def visit(host):
    context = ssl.create_default_context(cafile=os.environ["CA"])

    class ToListener(http.client.HTTPSConnection):
        def connect(self):
            raw = socket.create_connection(("127.0.0.1", int(os.environ["HTTPS_PORT"])))
            self.sock = context.wrap_socket(raw, server_hostname=host)

    connection = ToListener(host)
    connection.request("GET", "/seen")
    return connection.getresponse().read().decode()


def await_end():
    """It ends its agent without waiting for that: the next one would find port 4040 taken, or ask the one before it."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", 4040)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)


def start():
    child = subprocess.Popen([sys.executable, "-u", __file__, "serve"], stdout=subprocess.PIPE, text=True)
    late = threading.Timer(DEADLINE, child.send_signal, [signal.SIGINT])
    late.daemon = True
    late.start()
    try:
        for line in child.stdout:
            found = re.search(r"Running on http://([\w.-]+\.localhost)\b", line)
            if found:
                assert visit(found.group(1)) == "from flask"
                return
        raise AssertionError("it printed no address")
    finally:
        late.cancel()
        # As Ctrl+C: it ends its agent when it exits.
        child.send_signal(signal.SIGINT)
        child.stdout.close()
        child.wait(DEADLINE)


if sys.argv[1] == "serve":
    serve()
else:
    for _ in range(int(sys.argv[1])):
        start()
        await_end()
