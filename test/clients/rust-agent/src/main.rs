//! The official Rust agent SDK as a program of the clients' suite: test/clients/README.md has the contract.

use std::{collections::HashMap, convert::Infallible, error::Error as StdError, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use ngrok::{
    config::{ForwarderBuilder, ProxyProto, Scheme},
    prelude::*,
    session::{ConnectError, RpcError},
    tunnel::{TunnelCloser, TunnelInfo},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    sync::Mutex,
};
use url::Url;

type Failure = Box<dyn StdError + Send + Sync>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Headers {
    add: HashMap<String, String>,
    remove: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    id: u64,
    op: String,
    session: String,
    listener: String,
    address: String,
    ca: String,
    authtoken: String,
    metadata: String,
    heartbeat_interval_ms: Option<u64>,
    heartbeat_tolerance_ms: Option<u64>,
    url: Option<String>,
    proto: String,
    forwards_to: Option<String>,
    traffic_policy: Option<String>,
    pooling: bool,
    proxy_proto: Option<String>,
    tls: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    mutual_tls_ca: Option<String>,
    basic_auth: Vec<String>,
    compression: bool,
    allow_cidrs: Vec<String>,
    deny_cidrs: Vec<String>,
    request_headers: Headers,
    response_headers: Headers,
    upstream: Option<String>,
    upstream_proto: Option<String>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<String, ngrok::Session>,
    /// Session, and id at the server, of each listener.
    listeners: HashMap<String, (ngrok::Session, String)>,
    /// Dropping one closes it.
    forwarders: HashMap<String, Box<dyn TunnelCloser + Send>>,
}

type Shared = Arc<Mutex<State>>;

fn say(value: Value) {
    println!("{value}");
}

#[tokio::main]
async fn main() {
    let state = Shared::default();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.expect("stdin") {
        let asked: Asked = serde_json::from_str(&line).expect("a request");
        let state = state.clone();
        tokio::spawn(async move {
            let id = asked.id;
            match perform(&state, asked).await {
                Ok(answer) => say(json!({ "id": id, "ok": answer })),
                Err(error) => say(json!({ "id": id, "error": described(error.as_ref()) })),
            }
        });
    }
}

fn described(error: &(dyn StdError + Send + Sync + 'static)) -> Value {
    let code = error
        .downcast_ref::<ConnectError>()
        .and_then(ngrok::Error::error_code)
        .or_else(|| error.downcast_ref::<RpcError>().and_then(ngrok::Error::error_code));
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    json!({ "code": code.unwrap_or_default(), "message": message })
}

async fn perform(state: &Shared, asked: Asked) -> Result<Value, Failure> {
    match asked.op.as_str() {
        "connect" => connect(state, asked).await,
        "listen" => listen(state, asked).await,
        "unlisten" => {
            let mut state = state.lock().await;
            let (session, id) = state.listeners.remove(&asked.listener).ok_or("no such listener")?;
            session.close_tunnel(id).await?;
            state.forwarders.remove(&asked.listener);
            Ok(json!({}))
        }
        "disconnect" => {
            let mut state = state.lock().await;
            let mut session = state.sessions.remove(&asked.session).ok_or("no such session")?;
            // The session's own close says nothing to the server: its listeners go first.
            let mine: Vec<String> = state
                .listeners
                .iter()
                .filter(|(_, (of, _))| of.id() == session.id())
                .map(|(name, _)| name.clone())
                .collect();
            for name in mine {
                if let Some((_, id)) = state.listeners.remove(&name) {
                    session.close_tunnel(id).await?;
                }
                state.forwarders.remove(&name);
            }
            session.close().await?;
            Ok(json!({}))
        }
        other => Err(format!("no such operation: {other}").into()),
    }
}

async fn connect(state: &Shared, asked: Asked) -> Result<Value, Failure> {
    let mut builder = ngrok::Session::builder();
    builder
        .server_addr(&asked.address)?
        .ca_cert(Bytes::from(std::fs::read(&asked.ca)?))
        .authtoken(&asked.authtoken)
        .metadata(&asked.metadata);
    if let Some(ms) = asked.heartbeat_interval_ms {
        builder.heartbeat_interval(Duration::from_millis(ms))?;
    }
    if let Some(ms) = asked.heartbeat_tolerance_ms {
        builder.heartbeat_tolerance(Duration::from_millis(ms))?;
    }
    let name = asked.session.clone();
    builder.handle_heartbeat(move |latency: Option<Duration>| {
        let name = name.clone();
        async move {
            if let Some(latency) = latency {
                say(json!({ "event": "heartbeat", "session": name, "ms": latency.as_secs_f64() * 1000.0 }));
            }
            Ok(())
        }
    });
    // Each kind of command has a type of its own.
    macro_rules! tells {
        ($handle:ident, $command:literal) => {
            let name = asked.session.clone();
            builder.$handle(move |_| {
                say(json!({ "event": "command", "session": name, "command": $command }));
                async { Ok(()) }
            });
        };
    }
    tells!(handle_stop_command, "stop");
    tells!(handle_restart_command, "restart");
    tells!(handle_update_command, "update");
    let session = builder.connect().await?;
    let id = session.id();
    state.lock().await.sessions.insert(asked.session, session);
    Ok(json!({ "id": id }))
}

/// What the three kinds of endpoints share; each of their builders has methods of its own with the same names.
macro_rules! common {
    ($builder:expr, $asked:expr) => {
        $builder.metadata(&$asked.metadata).pooling_enabled($asked.pooling);
        if let Some(text) = &$asked.forwards_to {
            $builder.forwards_to(text);
        }
        if let Some(text) = &$asked.traffic_policy {
            $builder.traffic_policy(text);
        }
        match $asked.proxy_proto.as_deref() {
            Some("1") => drop($builder.proxy_proto(ProxyProto::V1)),
            Some("2") => drop($builder.proxy_proto(ProxyProto::V2)),
            _ => (),
        }
        for cidr in &$asked.allow_cidrs {
            $builder.allow_cidr(cidr);
        }
        for cidr in &$asked.deny_cidrs {
            $builder.deny_cidr(cidr);
        }
    };
}

async fn listen(state: &Shared, asked: Asked) -> Result<Value, Failure> {
    let session = state.lock().await.sessions.get(&asked.session).cloned().ok_or("no such session")?;
    let host = match &asked.url {
        Some(text) => Some(text.split_once("://").ok_or("no URL")?.1.to_owned()),
        None => None,
    };
    match asked.proto.as_str() {
        "tcp" => {
            let mut builder = session.tcp_endpoint();
            common!(builder, asked);
            if let Some(host) = host {
                builder.remote_addr(host);
            }
            start(state, &session, builder, asked).await
        }
        "tls" => {
            let mut builder = session.tls_endpoint();
            common!(builder, asked);
            if let Some(host) = host {
                builder.domain(host);
            }
            if asked.tls.as_deref() == Some("edge") {
                builder.termination(file(&asked.cert)?, file(&asked.key)?);
            }
            start(state, &session, builder, asked).await
        }
        proto => {
            let mut builder = session.http_endpoint();
            common!(builder, asked);
            builder.scheme(if proto == "http" { Scheme::HTTP } else { Scheme::HTTPS });
            if let Some(host) = host {
                builder.domain(host);
            }
            web_options(&mut builder, &asked)?;
            start(state, &session, builder, asked).await
        }
    }
}

fn web_options(builder: &mut ngrok::config::HttpTunnelBuilder, asked: &Asked) -> Result<(), Failure> {
    if let Some(proto) = &asked.upstream_proto {
        builder.app_protocol(proto);
    }
    if asked.mutual_tls_ca.is_some() {
        builder.mutual_tlsca(file(&asked.mutual_tls_ca)?);
    }
    if let [user, password] = asked.basic_auth.as_slice() {
        builder.basic_auth(user, password);
    }
    if asked.compression {
        builder.compression();
    }
    for (name, value) in &asked.request_headers.add {
        builder.request_header(name, value);
    }
    for name in &asked.request_headers.remove {
        builder.remove_request_header(name);
    }
    for (name, value) in &asked.response_headers.add {
        builder.response_header(name, value);
    }
    for name in &asked.response_headers.remove {
        builder.remove_response_header(name);
    }
    Ok(())
}

fn file(path: &Option<String>) -> Result<Bytes, Failure> {
    Ok(Bytes::from(std::fs::read(path.as_deref().ok_or("no file named")?)?))
}

async fn start<B>(state: &Shared, session: &ngrok::Session, builder: B, asked: Asked) -> Result<Value, Failure>
where
    B: ForwarderBuilder,
    B::Tunnel: EndpointInfo,
    <B::Tunnel as Tunnel>::Conn: Unpin + Send + 'static,
{
    let (id, answer) = match &asked.upstream {
        Some(upstream) => {
            let forwarder = builder.listen_and_forward(Url::parse(upstream)?).await?;
            let told = told(&forwarder);
            let id = forwarder.id().to_owned();
            state.lock().await.forwarders.insert(asked.listener.clone(), Box::new(forwarder));
            (id, told)
        }
        None => {
            let tunnel = builder.listen().await?;
            let told = told(&tunnel);
            let id = tunnel.id().to_owned();
            tokio::spawn(serve(tunnel, asked.proto.starts_with("http")));
            (id, told)
        }
    };
    state.lock().await.listeners.insert(asked.listener, (session.clone(), id));
    Ok(answer)
}

fn told(endpoint: &(impl EndpointInfo + TunnelInfo)) -> Value {
    json!({
        "id": endpoint.id(), "url": endpoint.url(), "proto": endpoint.proto(),
        "metadata": endpoint.metadata(), "forwards_to": endpoint.forwards_to(),
    })
}

async fn serve<T>(tunnel: T, web: bool)
where
    T: Tunnel,
    T::Conn: Unpin + Send + 'static,
{
    let mut connections = tunnel.into_stream();
    while let Some(Ok(mut connection)) = connections.next().await {
        tokio::spawn(async move {
            if web {
                let served = http1::Builder::new().serve_connection(TokioIo::new(connection), service_fn(answer));
                let _ = served.await;
                return;
            }
            let mut buffer = vec![0; 65_536];
            while let Ok(length @ 1..) = connection.read(&mut buffer).await {
                if connection.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
            let _ = connection.shutdown().await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = format!("{} {} of {host}", request.method(), request.uri().path());
    Ok(Response::new(Full::new(Bytes::from(text))))
}
