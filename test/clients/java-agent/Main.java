// The official Java agent SDK as a program of the clients' suite: test/clients/README.md has the contract.

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.ngrok.EndpointBuilder;
import com.ngrok.Forwarder;
import com.ngrok.Http;
import com.ngrok.HttpBuilder;
import com.ngrok.Listener;
import com.ngrok.ListenerInfo;
import com.ngrok.NgrokException;
import com.ngrok.ProxyProto;
import com.ngrok.Session;
import com.ngrok.TcpBuilder;
import com.ngrok.TlsBuilder;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

public final class Main {
    /** One request, as it is read; what is not asked for is null, false or empty. */
    private static final class Asked {
        long id;
        String op;
        String session;
        String listener;
        String address;
        String ca;
        String authtoken;
        String metadata = "";
        Long heartbeat_interval_ms;
        Long heartbeat_tolerance_ms;
        String url;
        String proto;
        String forwards_to;
        String traffic_policy;
        String proxy_proto;
        String tls;
        String cert;
        String key;
        String mutual_tls_ca;
        List<String> basic_auth = List.of();
        boolean compression;
        List<String> allow_cidrs = List.of();
        List<String> deny_cidrs = List.of();
        Headers request_headers = new Headers();
        Headers response_headers = new Headers();
        String upstream;
    }

    private static final class Headers {
        Map<String, String> add = Map.of();
        List<String> remove = List.of();
    }

    /** A listener or forwarder is closed by its id at the session: its own close would wait for an accept under way. */
    private static final class Bound {
        final String session;
        final ListenerInfo info;
        final boolean forwards;

        Bound(final String session, final ListenerInfo info, final boolean forwards) {
            this.session = session;
            this.info = info;
            this.forwards = forwards;
        }
    }

    private static final Gson GSON = new Gson();
    private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final ExecutorService THREADS = Executors.newCachedThreadPool();
    private static final Map<String, Session> SESSIONS = new ConcurrentHashMap<>();
    private static final Map<String, Bound> LISTENERS = new ConcurrentHashMap<>();

    public static void main(final String[] arguments) throws IOException {
        final BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            final Asked asked = GSON.fromJson(line, Asked.class);
            THREADS.execute(() -> answer(asked));
        }
        System.exit(0);
    }

    private static void answer(final Asked asked) {
        try {
            say(Map.of("id", asked.id, "ok", perform(asked)));
        } catch (final Exception error) {
            final String code = error instanceof NgrokException ? ((NgrokException) error).getCode() : "";
            say(Map.of("id", asked.id, "error", Map.of("code", code, "message", String.valueOf(error.getMessage()))));
        }
    }

    private static void say(final Object said) {
        OUT.println(GSON.toJson(said));
    }

    private static JsonObject perform(final Asked asked) throws IOException {
        switch (asked.op) {
            case "connect":
                return connect(asked);
            case "listen":
                return listen(asked);
            case "unlisten":
                close(LISTENERS.remove(asked.listener));
                return new JsonObject();
            case "disconnect":
                return disconnect(asked);
            default:
                throw new IOException("no such operation: " + asked.op);
        }
    }

    private static JsonObject connect(final Asked asked) throws IOException {
        final Session.Builder builder = Session.withAuthtoken(asked.authtoken)
                .serverAddr(asked.address)
                .caCert(file(asked.ca))
                .metadata(asked.metadata)
                .heartbeatHandler(ms -> say(Map.of("event", "heartbeat", "session", asked.session, "ms", ms)))
                .stopCallback(() -> say(Map.of("event", "command", "session", asked.session, "command", "stop")))
                .restartCallback(() -> say(Map.of("event", "command", "session", asked.session, "command", "restart")))
                .updateCallback(() -> say(Map.of("event", "command", "session", asked.session, "command", "update")));
        if (asked.heartbeat_interval_ms != null) builder.heartbeatInterval(Duration.ofMillis(asked.heartbeat_interval_ms));
        if (asked.heartbeat_tolerance_ms != null) builder.heartbeatTolerance(Duration.ofMillis(asked.heartbeat_tolerance_ms));
        final Session session = builder.connect();
        SESSIONS.put(asked.session, session);
        final JsonObject told = new JsonObject();
        told.addProperty("id", session.getId());
        return told;
    }

    private static JsonObject disconnect(final Asked asked) throws IOException {
        // The session's own close says nothing to the server: its listeners go first.
        for (final Map.Entry<String, Bound> entry : LISTENERS.entrySet())
            if (entry.getValue().session.equals(asked.session)) close(LISTENERS.remove(entry.getKey()));
        sessionOf(SESSIONS.remove(asked.session)).close();
        return new JsonObject();
    }

    private static void close(final Bound bound) throws IOException {
        if (bound == null) throw new IOException("no such listener");
        final Session session = sessionOf(SESSIONS.get(bound.session));
        if (bound.forwards) session.closeForwarder(bound.info.getId());
        else session.closeListener(bound.info.getId());
    }

    private static Session sessionOf(final Session session) throws IOException {
        if (session == null) throw new IOException("no such session");
        return session;
    }

    private static JsonObject listen(final Asked asked) throws IOException {
        final Session session = sessionOf(SESSIONS.get(asked.session));
        final String host = asked.url == null ? null : asked.url.substring(asked.url.indexOf("://") + 3);
        switch (asked.proto) {
            case "tcp": {
                final TcpBuilder builder = common(session.tcpEndpoint(), asked);
                if (host != null) builder.remoteAddress(host);
                return start(builder, builder, asked);
            }
            case "tls": {
                final TlsBuilder builder = common(session.tlsEndpoint(), asked);
                if (host != null) builder.domain(host);
                if ("edge".equals(asked.tls)) builder.termination(file(asked.cert), file(asked.key));
                return start(builder, builder, asked);
            }
            default: {
                final HttpBuilder builder = common(session.httpEndpoint(), asked);
                builder.scheme("http".equals(asked.proto) ? Http.Scheme.HTTP : Http.Scheme.HTTPS);
                if (host != null) builder.domain(host);
                webOptions(builder, asked);
                return start(builder, builder, asked);
            }
        }
    }

    private static <T extends EndpointBuilder<T>> T common(final T builder, final Asked asked) {
        builder.metadata(asked.metadata);
        if (asked.forwards_to != null) builder.forwardsTo(asked.forwards_to);
        if (asked.traffic_policy != null) builder.trafficPolicy(asked.traffic_policy);
        if (asked.proxy_proto != null) builder.proxyProto("1".equals(asked.proxy_proto) ? ProxyProto.V1 : ProxyProto.V2);
        asked.allow_cidrs.forEach(builder::allowCIDR);
        asked.deny_cidrs.forEach(builder::denyCIDR);
        return builder;
    }

    private static void webOptions(final HttpBuilder builder, final Asked asked) throws IOException {
        if (asked.mutual_tls_ca != null) builder.mutualTLSCA(file(asked.mutual_tls_ca));
        if (asked.basic_auth.size() == 2)
            builder.basicAuthOptions(new Http.BasicAuth(asked.basic_auth.get(0), asked.basic_auth.get(1)));
        if (asked.compression) builder.compression();
        asked.request_headers.add.forEach(builder::addRequestHeader);
        asked.request_headers.remove.forEach(builder::removeRequestHeader);
        asked.response_headers.add.forEach(builder::addResponseHeader);
        asked.response_headers.remove.forEach(builder::removeResponseHeader);
    }

    /** Both are the same builder, which the SDK knows by two interfaces. */
    private static JsonObject start(
            final Listener.Builder<Listener.Endpoint> listens,
            final Forwarder.Builder<Forwarder.Endpoint> forwards,
            final Asked asked) throws IOException {
        final ListenerInfo.Endpoint info;
        if (asked.upstream == null) {
            final Listener.Endpoint listener = listens.listen();
            THREADS.execute(() -> Service.serve(listener, asked.proto.startsWith("http"), THREADS));
            info = listener;
        } else {
            info = forwards.forward(urlOf(asked.upstream));
        }
        LISTENERS.put(asked.listener, new Bound(asked.session, info, asked.upstream != null));
        final JsonObject told = new JsonObject();
        told.addProperty("id", info.getId());
        told.addProperty("url", info.getUrl());
        told.addProperty("proto", info.getProto());
        told.addProperty("metadata", info.getMetadata());
        told.addProperty("forwards_to", info.getForwardsTo());
        return told;
    }

    /** Java knows no scheme `tcp`; the SDK takes the URL's text alone. */
    private static URL urlOf(final String text) throws MalformedURLException {
        return new URL(null, text, new URLStreamHandler() {
            @Override
            protected URLConnection openConnection(final URL url) throws IOException {
                throw new IOException("never opened");
            }
        });
    }

    private static byte[] file(final String name) throws IOException {
        return Files.readAllBytes(Path.of(name));
    }
}
