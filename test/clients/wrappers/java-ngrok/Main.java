// java-ngrok, unmodified, with our command in the place of its binary. Argument: how many starts.

import com.github.alexdlaird.exception.JavaNgrokHTTPException;
import com.github.alexdlaird.http.DefaultHttpClient;
import com.github.alexdlaird.ngrok.NgrokClient;
import com.github.alexdlaird.ngrok.conf.JavaNgrokConfig;
import com.github.alexdlaird.ngrok.installer.NgrokVersion;
import com.github.alexdlaird.ngrok.protocol.CapturedRequests;
import com.github.alexdlaird.ngrok.protocol.CreateTunnel;
import com.github.alexdlaird.ngrok.protocol.Proto;
import com.github.alexdlaird.ngrok.protocol.Tunnel;
import java.io.FileInputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public final class Main {
    private static final String PORT = System.getenv("PORT");

    public static void main(final String[] arguments) {
        try {
            whole();
            for (int start = 0; start < Integer.parseInt(arguments[0]); start += 1) {
                final NgrokClient client = client();
                final Tunnel tunnel = client.connect(new CreateTunnel.Builder().withAddr(PORT).build());
                check(visit(tunnel.getPublicUrl()) == 200, "start " + start);
                client.kill();
            }
        } catch (final Exception error) {
            error.printStackTrace();
            // Whoever reads the agent's output would go on for as long as the agent, and the agent for as long as he.
            System.exit(1);
        }
    }

    private static void whole() throws Exception {
        final NgrokClient client = client();
        check(client.getVersion().getNgrokVersion().split("\\.").length == 3, "version");
        client.setAuthToken(System.getenv("TOKEN"));
        client.setApiKey("K");
        check(Files.readString(Path.of(System.getenv("CONFIG"))).contains(System.getenv("TOKEN")), "token");

        final Tunnel one = client.connect(new CreateTunnel.Builder().withAddr(PORT).build());
        check(one.getPublicUrl().startsWith("https://"), one.getPublicUrl());
        check(visit(one.getPublicUrl()) == 200, "one");
        final Tunnel locked = client.connect(new CreateTunnel.Builder()
                .withName("with a name").withAddr(PORT).withBasicAuth(List.of("ada:longpassword")).build());
        check(visit(locked.getPublicUrl()) == 401, "basic auth");
        final Tunnel tcp = client.connect(new CreateTunnel.Builder().withProto(Proto.TCP).withAddr(PORT).build());
        check(tcp.getPublicUrl().startsWith("tcp://"), tcp.getPublicUrl());
        check(client.getTunnels().size() == 3, "three tunnels");
        client.refreshMetrics(one);
        check(one.getMetrics().get("conns").getCount() == 1, "metrics");

        final String api = client.getNgrokProcess().getApiUrl() + "/api/requests/http";
        final CapturedRequests seen =
                client.getHttpClient().get(api, Collections.emptyList(), Collections.emptyMap(), CapturedRequests.class).getBody();
        check(seen.getRequests().stream().anyMatch(request -> request.getRequest().getUri().equals("/seen")), "captured");

        client.disconnect(locked.getPublicUrl());
        client.disconnect(tcp.getPublicUrl());
        check(client.getTunnels().size() == 1, "one tunnel");
        try {
            client.connect(new CreateTunnel.Builder().withAddr(PORT).withHostHeader("\n").withName("refused").withSubdomain("a b").build());
            throw new IllegalStateException("a subdomain that cannot be one was taken");
        } catch (final JavaNgrokHTTPException error) {
            check(error.getStatusCode() >= 400, "refusal");
        }
        client.kill();
        // It does not wait for the end itself.
        while (client.getNgrokProcess().isRunning()) Thread.sleep(20);
    }

    private static NgrokClient client() {
        final JavaNgrokConfig config = new JavaNgrokConfig.Builder()
                .withNgrokVersion(NgrokVersion.V3)
                .withNgrokPath(Path.of(System.getenv("BIN"), "ngrok"))
                .withConfigPath(Path.of(System.getenv("CONFIG")))
                .withStartupTimeout(60)
                .build();
        // As it comes it waits four seconds for an answer of the agent: a busy machine's own time.
        return new NgrokClient.Builder()
                .withJavaNgrokConfig(config)
                .withHttpClient(new DefaultHttpClient.Builder().withTimeout(60_000).build())
                .build();
    }

    /** The status of an answer of the platform's https listener, whatever the name resolves to. */
    private static int visit(final String url) throws Exception {
        final String host = URI.create(url).getHost();
        final KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (FileInputStream file = new FileInputStream(System.getenv("CA"))) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        final TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        final SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        final int port = Integer.parseInt(System.getenv("HTTPS_PORT"));
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            final SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(host)));
            socket.setSSLParameters(parameters);
            final String head = "GET /seen HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            final String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            return Integer.parseInt(answer.split(" ", 3)[1]);
        }
    }

    private static void check(final boolean isSo, final String what) {
        if (!isSo) throw new IllegalStateException(what);
    }
}
