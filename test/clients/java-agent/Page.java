import com.ngrok.Session;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

public final class Page {
    public static void main(String[] arguments) throws Exception {
        var session = Session.withAuthtokenFromEnv()
                .serverAddr(System.getenv("POSTERN_AGENT"))
                .caCert(Files.readAllBytes(Path.of(System.getenv("POSTERN_CA"))))
                .connect();
        var listener = session.httpEndpoint().listen();
        System.out.println(listener.getUrl());
        var answer = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\nHello from Java"
                .getBytes(StandardCharsets.UTF_8);
        while (true) {
            var visitor = listener.accept();
            visitor.write(ByteBuffer.allocateDirect(answer.length).put(answer).flip());
            visitor.close();
        }
    }
}
