"""pyngrok, unmodified, with our command in the place of its binary. Arguments: version of the configuration, how many starts."""
import os
import ssl
import sys
import urllib.error
import urllib.parse
import http.client

from pyngrok import conf, exception, ngrok

VERSION, STARTS = sys.argv[1], int(sys.argv[2])
PORT = os.environ["PORT"]


def visit(url):
    host = urllib.parse.urlparse(url).hostname
    context = ssl.create_default_context(cafile=os.environ["CA"])

    class ToListener(http.client.HTTPSConnection):
        def connect(self):
            self.sock = context.wrap_socket(
                __import__("socket").create_connection(("127.0.0.1", int(os.environ["HTTPS_PORT"]))), server_hostname=host
            )

    connection = ToListener(host)
    connection.request("GET", "/seen")
    return connection.getresponse().status


def settings(**more):
    return conf.PyngrokConfig(
        ngrok_path=os.path.join(os.environ["BIN"], "ngrok"),
        config_path=os.environ["CONFIG"],
        config_version=VERSION,
        startup_timeout=60,
        request_timeout=30,
        **more,
    )


def whole():
    logs = []
    config = settings(log_event_callback=lambda line: logs.append(line))
    version, _ = ngrok.get_version(config)
    assert version.count(".") == 2, version
    ngrok.set_auth_token(os.environ["TOKEN"], config)
    ngrok.set_api_key("K", config)
    assert os.environ["TOKEN"] in open(os.environ["CONFIG"]).read()

    # Before the agent runs: while it does, pyngrok starts no other command of it.
    answer = ngrok.api("--api-key", os.environ["API_KEY"], "endpoints", "list", pyngrok_config=config)
    assert "endpoints" in answer.data, answer
    assert "npm" in ngrok.update(config)

    one = ngrok.connect(PORT, pyngrok_config=config)
    assert one.public_url.startswith("https://"), one
    assert visit(one.public_url) == 200
    policy = {"on_http_request": [{"actions": [{"type": "deny"}]}]}
    two = ngrok.connect(PORT, "http", name="with a name", pyngrok_config=config, traffic_policy=policy)
    assert visit(two.public_url) == 403
    tcp = ngrok.connect(PORT, "tcp", pyngrok_config=config)
    assert tcp.public_url.startswith("tcp://"), tcp
    assert len(ngrok.get_tunnels(config)) == 3
    one.refresh_metrics()
    assert one.metrics["conns"]["count"] == 1, one.metrics
    if VERSION == "2":
        locked = ngrok.connect(PORT, "http", pyngrok_config=config, basic_auth=["ada:longpassword"], schemes=["https"])
        assert visit(locked.public_url) == 401
        ngrok.disconnect(locked.public_url, config)

    process = ngrok.get_ngrok_process(config)
    assert process.healthy()
    requests = ngrok.api_request(f"{process.api_url}/api/requests/http")["requests"]
    seen = [request for request in requests if request["request"]["uri"] == "/seen"]
    assert seen and seen[-1]["response"]["status_code"] == 200, requests
    detail = ngrok.api_request(f"{process.api_url}/api/requests/http/{seen[-1]['id']}")
    assert detail["id"] == seen[-1]["id"]
    replay = {"id": seen[-1]["id"], "tunnel_name": seen[-1]["tunnel_name"]}
    ngrok.api_request(f"{process.api_url}/api/requests/http", method="POST", data=replay)
    ngrok.api_request(f"{process.api_url}/api/requests/http", method="DELETE")
    assert ngrok.api_request(f"{process.api_url}/api/status")["status"] == "online"

    ngrok.disconnect(two.public_url, config)
    ngrok.disconnect(tcp.public_url, config)
    assert [tunnel.public_url for tunnel in ngrok.get_tunnels(config)] == [one.public_url]
    try:
        ngrok.connect(PORT, "http", pyngrok_config=config, nonsense="x")
        raise AssertionError("an unknown key was taken")
    except exception.PyngrokNgrokHTTPError as error:
        assert error.status_code == 400, error
    ngrok.kill(config)
    messages = [line.msg for line in logs]
    for message in ("starting web service", "tunnel session started", "client session established"):
        assert message in messages, messages


whole()
for _ in range(STARTS):
    configuration = settings()
    tunnel = ngrok.connect(PORT, pyngrok_config=configuration)
    assert visit(tunnel.public_url) == 200
    ngrok.kill(configuration)
