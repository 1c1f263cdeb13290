"""The official Python agent SDK as a program of the clients' suite: test/clients/README.md has the contract."""

import asyncio
import json
import sys
from urllib.parse import urlsplit

import ngrok

sessions = {}
listeners = {}
forwarding = set()


def say(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def bytes_of(path):
    with open(path, "rb") as file:
        # The SDK takes no bytes where it takes a bytearray.
        return bytearray(file.read())


async def connect(asked):
    session = asked["session"]
    builder = (
        ngrok.SessionBuilder()
        .server_addr(asked["address"])
        .ca_cert(bytes_of(asked["ca"]))
        .authtoken(asked["authtoken"])
        .metadata(asked["metadata"])
    )
    if "heartbeat_interval_ms" in asked:
        builder.heartbeat_interval(asked["heartbeat_interval_ms"] // 1000)
    if "heartbeat_tolerance_ms" in asked:
        builder.heartbeat_tolerance(asked["heartbeat_tolerance_ms"] // 1000)
    builder.handle_heartbeat(lambda ms: say({"event": "heartbeat", "session": session, "ms": ms}))
    builder.handle_stop_command(lambda: say({"event": "command", "session": session, "command": "stop"}))
    builder.handle_restart_command(lambda: say({"event": "command", "session": session, "command": "restart"}))
    builder.handle_update_command(
        lambda _version, _permit_major: say({"event": "command", "session": session, "command": "update"})
    )
    builder.handle_disconnection(
        lambda address, reason: say({"event": "disconnected", "session": session, "reason": str(reason)})
    )
    sessions[session] = await builder.connect()
    return {}


def endpoint(asked):
    session = sessions[asked["session"]]
    proto = asked["proto"]
    host = urlsplit(asked["url"]).netloc if "url" in asked else None
    if proto == "tcp":
        builder = session.tcp_endpoint()
        if host:
            builder.remote_addr(host)
    else:
        builder = session.tls_endpoint() if proto == "tls" else session.http_endpoint().scheme(proto.upper())
        if host:
            builder.domain(host)
    for field, method in (
        ("metadata", "metadata"),
        ("forwards_to", "forwards_to"),
        ("traffic_policy", "traffic_policy"),
        ("proxy_proto", "proxy_proto"),
        ("upstream_proto", "app_protocol"),
    ):
        if field in asked:
            getattr(builder, method)(asked[field])
    if "mutual_tls_ca" in asked:
        builder.mutual_tlsca(bytes_of(asked["mutual_tls_ca"]))
    if asked.get("tls") == "edge":
        builder.termination(bytes_of(asked["cert"]), bytes_of(asked["key"]))
    if "basic_auth" in asked:
        builder.basic_auth(*asked["basic_auth"])
    if asked.get("compression"):
        builder.compression()
    for cidr in asked.get("allow_cidrs", []):
        builder.allow_cidr(cidr)
    for cidr in asked.get("deny_cidrs", []):
        builder.deny_cidr(cidr)
    for side in ("request", "response"):
        headers = asked.get(f"{side}_headers", {})
        for name, value in headers.get("add", {}).items():
            getattr(builder, f"{side}_header")(name, value)
        for name in headers.get("remove", []):
            getattr(builder, f"remove_{side}_header")(name)
    return builder


async def listen(asked):
    builder = endpoint(asked)
    upstream = asked.get("upstream") or await serve(asked["proto"])
    if "forwards_to" in asked:
        # What it forwards to is what it says it does, unless it is told to listen only.
        listener = await builder.listen()
        forwarding.add(asyncio.ensure_future(listener.forward(upstream)))
    else:
        listener = await builder.listen_and_forward(upstream)
    listeners[asked["listener"]] = listener
    return {
        "id": listener.id(),
        "url": listener.url(),
        "proto": listener.proto(),
        "metadata": listener.metadata(),
        "forwards_to": listener.forwards_to(),
    }


async def serve(proto):
    """A service of this process: the SDK has none of its own to give."""

    async def web(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        host = next(line.split(":", 1)[1].strip() for line in head if line.lower().startswith("host:"))
        body = f"{method} {path} of {host}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def echo(reader, writer):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    is_web = proto in ("http", "https")
    server = await asyncio.start_server(web if is_web else echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return f"{'http' if is_web else 'tcp'}://127.0.0.1:{port}"


async def unlisten(asked):
    await listeners.pop(asked["listener"]).close()
    return {}


async def disconnect(asked):
    session = sessions.pop(asked["session"])
    # The session's own close says nothing to the server: its listeners go first.
    for listener in await session.get_listeners():
        await session.close_listener(listener.id())
    await session.close()
    return {}


OPERATIONS = {"connect": connect, "listen": listen, "unlisten": unlisten, "disconnect": disconnect}


async def perform(asked):
    try:
        say({"id": asked["id"], "ok": await OPERATIONS[asked["op"]](asked)})
    except Exception as error:
        # The SDK raises ValueError(message, code, …).
        texts = [str(part) for part in error.args if part is not None]
        code = next((text for text in texts[1:] if text.startswith("ERR_NGROK_")), "")
        say({"id": asked["id"], "error": {"code": code, "message": ": ".join(texts) or repr(error)}})


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    while line := await reader.readline():
        task = asyncio.create_task(perform(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
