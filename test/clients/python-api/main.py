"""The official Python API client as a program of the clients' suite: test/clients/README.md has the contract."""

import inspect
import json
import sys
from datetime import datetime

import ngrok
from ngrok import services

client = None


def say(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def services_of():
    """By the tags that the contract gives resources."""
    return {name[: -len("Client")]: kind for name, kind in vars(services).items() if name.endswith("Client")}


def methods():
    return {
        tag: [name.replace("_", "") for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"]
        for tag, kind in services_of().items()
        if tag != "HTTP"
    }


def call(asked):
    service = services_of()[asked["tag"]](client)
    name = next(name for name in dir(service) if name.replace("_", "") == asked["method"] and name[0] != "_")
    method = getattr(service, name)
    args = dict(asked["args"])
    for parameter in inspect.signature(method).parameters.values():
        # The client insists on what the server would refuse; a word will do for a path that is not there.
        if parameter.default is inspect.Parameter.empty and parameter.name not in args:
            args[parameter.name] = "x"
        if isinstance(parameter.default, datetime):
            # Its own default is one that it cannot send.
            args.setdefault(parameter.name, None)
    return plain(method(**args))


def plain(value):
    if value is None:
        return {}
    if hasattr(value, "__iter__") and hasattr(value, "next_page_uri"):
        return [plain(item) for item in iterated(value)]
    for name, member in vars(type(value)).items():
        # Reading is what fails here, not decoding.
        if isinstance(member, property):
            getattr(value, name)
    return json.loads(json.dumps(value._props, default=lambda inner: inner._props))


def iterated(pages):
    # The client's iterators have no __iter__ of their own.
    iterator = pages.__iter__()
    while True:
        try:
            yield iterator.__next__()
        except StopIteration:
            return


def described(error):
    if isinstance(error, ngrok.Error):
        message = str(error.args[-1])
        not_found = isinstance(error, ngrok.NotFoundError)
        status, code = error.http_status_code, error.error_code or ""
        return {"code": code, "message": message, "msg": message, "status": status, "not_found": not_found}
    return {"code": "", "message": f"{type(error).__name__}: {error}", "status": 0, "not_found": False}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        if asked["op"] == "start":
            client = ngrok.Client(asked["key"], asked["base_url"])
            answer = methods()
        else:
            answer = call(asked)
        say({"id": asked["id"], "ok": answer})
    except Exception as error:
        say({"id": asked["id"], "error": described(error)})
